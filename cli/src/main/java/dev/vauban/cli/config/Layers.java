package dev.vauban.cli.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Values for the options that no flag gave, strongest layer first. Remembers which layer each value
 * came from.
 */
final class Layers implements IDefaultValueProvider {
  private final List<Map<String, Settings.Value>> layers = new ArrayList<>();
  private final Map<String, String> used = new HashMap<>();

  /** Adds a layer below the present ones. */
  void add(Map<String, Settings.Value> layer) {
    layers.add(new LinkedHashMap<>(layer));
  }

  @Override
  public String defaultValue(ArgSpec argument) {
    if (!(argument instanceof OptionSpec option)) {
      return null;
    }
    String name = name(option);
    for (Map<String, Settings.Value> layer : layers) {
      Settings.Value value = layer.get(name);
      if (value != null) {
        used.put(name, value.source());
        return value.text();
      }
    }
    used.remove(name);
    return null;
  }

  /** The source of the option's value, if a layer gave it; else "default". */
  String source(OptionSpec option) {
    return used.getOrDefault(name(option), "default");
  }

  /** The option's longest name without its dashes: the key in files. */
  static String name(OptionSpec option) {
    return option.longestName().replaceFirst("^--?", "");
  }

  /** What stands between several values of the option where they are one text. */
  static String separator(OptionSpec option) {
    return option.splitRegex().isEmpty() ? "," : option.splitRegex();
  }

  /** The environment variable of an option name. */
  static String variable(String name) {
    return "VAUBAN_" + name.toUpperCase(java.util.Locale.ROOT).replace('-', '_');
  }
}
