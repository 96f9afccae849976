package dev.vauban.cli.config;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The merged settings of one command, each with where it came from.
 *
 * @param command the command's full name, e.g. {@code vauban train}
 * @param values in the order of the command's options
 */
public record Settings(String command, Map<String, Value> values) {

  /**
   * One setting.
   *
   * @param text the value, as a flag would give it
   * @param source e.g. {@code flag}, {@code VAUBAN_WAYS}, {@code exp.yaml line 3}, {@code default}
   */
  public record Value(String text, String source) {}

  /** Keeps the order of {@code values}. */
  public Settings {
    values = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /** The text of a setting, if it has a value. */
  public Optional<String> get(String name) {
    return Optional.ofNullable(values.get(name)).map(Value::text);
  }

  /** YAML that {@code --config} reads back, with each value's source as a comment. */
  public String toYaml() {
    StringBuilder yaml = new StringBuilder("# ").append(command).append('\n');
    int width =
        values.entrySet().stream()
            .mapToInt(e -> line(e.getKey(), e.getValue().text()).length())
            .max()
            .orElse(0);
    values.forEach((name, value) -> yaml.append(line(name, value, width)).append('\n'));
    return yaml.toString();
  }

  /** One line of {@link #toYaml}, without its end; the comment begins after {@code width}. */
  static String line(String name, Value value, int width) {
    String setting = line(name, value.text());
    return setting + " ".repeat(Math.max(0, width - setting.length())) + "  # " + value.source();
  }

  private static String line(String name, String text) {
    return name + ": " + ConfigFile.quote(text);
  }
}
