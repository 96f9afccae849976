package dev.vauban.cli.terminal;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON as the command writes and reads it: records with snake_case keys. */
public final class Json {
  private Json() {}

  /** Created on first use: most invocations write no JSON, and Jackson takes its time to load. */
  private static final class Holder {
    static final JsonMapper COMPACT =
        JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .changeDefaultPropertyInclusion(i ->
                i.withValueInclusion(com.fasterxml.jackson.annotation.JsonInclude.Include.NON_NULL))
            .build();
    static final JsonMapper PRETTY =
        COMPACT.rebuild().enable(SerializationFeature.INDENT_OUTPUT).build();
  }

  /** {@code value} on one line. */
  public static String line(Object value) {
    return Holder.COMPACT.writeValueAsString(value);
  }

  /** {@code value} indented. */
  public static String pretty(Object value) {
    return Holder.PRETTY.writeValueAsString(value);
  }

  /** Reads a value of {@code type}; throws Jackson's exception if the text does not fit. */
  public static <T> T read(String json, Class<T> type) {
    return Holder.COMPACT.readValue(json, type);
  }

  /**
   * Reads a file that an earlier session wrote.
   *
   * @param what the content is, for the sentence: {@code "a run"}
   * @throws CommandException exit 2, if it cannot be read or holds something else
   */
  public static <T> T read(Path file, Class<T> type, String what) {
    String sentence = file + " is damaged: it is not the JSON of " + what;
    T value;
    try {
      value = read(Files.readString(file), type);
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    } catch (JacksonException e) {
      throw CommandException.badInput(sentence, e);
    }
    if (value == null) {
      throw CommandException.badInput(sentence);
    }
    return value;
  }
}
