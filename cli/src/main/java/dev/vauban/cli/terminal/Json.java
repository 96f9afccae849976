package dev.vauban.cli.terminal;

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
}
