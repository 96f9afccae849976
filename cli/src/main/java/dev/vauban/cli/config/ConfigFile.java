package dev.vauban.cli.config;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.dataformat.yaml.YAMLFactory;

/**
 * A YAML file of settings: one flat mapping whose keys are option names without the dashes. Lists
 * are allowed where an option takes several values.
 */
public final class ConfigFile {
  private ConfigFile() {}

  /**
   * A value and its line.
   *
   * @param items of a list, or a single one
   * @param line counted from 1
   */
  public record Entry(List<String> items, int line) {
    /** As a flag would give it whose values are separated like this. */
    public String value(String separator) {
      return String.join(separator, items);
    }
  }

  /**
   * The settings in {@code file}, in its order.
   *
   * @throws CommandException exit 2, if the file is missing, is not YAML, or is not a flat mapping
   */
  public static Map<String, Entry> read(Path file) {
    return parse(text(file), file.toString());
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    }
  }

  /**
   * What {@code file}, written by {@link Settings#toYaml}, says with other values: the lines of
   * these keys alone change, sources included. A key that has no line yet gets one at the end.
   *
   * @throws CommandException exit 2, as for {@link #read}
   */
  public static String changed(Path file, Map<String, Settings.Value> values) {
    String yaml = text(file);
    Map<String, Entry> entries = parse(yaml, file.toString());
    List<String> lines = new ArrayList<>(yaml.lines().toList());
    values.forEach((key, value) -> {
      if (entries.containsKey(key)) {
        int at = entries.get(key).line() - 1;
        lines.set(at, Settings.line(key, value, lines.get(at).lastIndexOf("  # ")));
      } else {
        lines.add(Settings.line(key, value, 0));
      }
    });
    return String.join("\n", lines) + "\n";
  }

  /** The settings in {@code yaml}; {@code name} says in errors where the text is from. */
  public static Map<String, Entry> parse(String yaml, String name) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    try (JsonParser parser = new YAMLFactory().createParser(ObjectReadContext.empty(), yaml)) {
      JsonToken first = parser.nextToken();
      if (first == null || first == JsonToken.VALUE_NULL) {
        return entries;
      }
      if (first != JsonToken.START_OBJECT) {
        throw CommandException.badInput(name + ": lines of the form 'key: value' are expected");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String key = parser.currentName();
        int line = parser.currentTokenLocation().getLineNr();
        JsonToken token = parser.nextToken();
        List<String> items = items(parser, token, name + " line " + line + ": " + key);
        Entry before = entries.put(key, new Entry(items, line));
        if (before != null) {
          throw CommandException.badInput(
              name
                  + " line "
                  + line
                  + ": "
                  + key
                  + " is given twice (also line "
                  + before.line
                  + ")");
        }
      }
      return entries;
    } catch (JacksonException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      String reason = e.getOriginalMessage().lines().findFirst().orElse("");
      throw CommandException.badInput(name + " line " + line + ": not valid YAML: " + reason, e);
    }
  }

  private static List<String> items(JsonParser parser, JsonToken token, String where) {
    if (token != JsonToken.START_ARRAY) {
      return List.of(scalar(parser, token, where));
    }
    List<String> items = new ArrayList<>();
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      items.addAll(items(parser, t, where));
    }
    return items;
  }

  private static String scalar(JsonParser parser, JsonToken token, String where) {
    if (token == JsonToken.VALUE_NULL) {
      throw CommandException.badInput(where + " has no value; write one or remove the line");
    }
    if (!token.isScalarValue()) {
      throw CommandException.badInput(
          where + " holds a nested mapping; a single value is expected");
    }
    return parser.getString();
  }

  /**
   * {@code value} as a YAML scalar on one line: plain where that reads back as the same text, else
   * in double quotes.
   */
  public static String quote(String value) {
    boolean plain =
        value.matches("[A-Za-z0-9./_+-][A-Za-z0-9./_+@%=,~:-]*(?<!:)")
            && !value.matches("(?i)null|true|false|yes|no|on|off|~|-+|\\.+")
            && !value.startsWith("-")
            && !value.startsWith("%");
    if (plain || value.matches("-?[0-9]+(\\.[0-9]+)?([eE]-?[0-9]+)?|true|false")) {
      return value;
    }
    StringBuilder quoted = new StringBuilder("\"");
    value
        .chars()
        .forEach(c -> {
          switch (c) {
            case '"' -> quoted.append("\\\"");
            case '\\' -> quoted.append("\\\\");
            case '\n' -> quoted.append("\\n");
            case '\t' -> quoted.append("\\t");
            default -> quoted.append((char) c);
          }
        });
    return quoted.append('"').toString();
  }
}
