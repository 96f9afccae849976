package dev.vauban.cli.command;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where settings come from besides flags. */
public final class ConfigOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML file of settings; flags and VAUBAN_* variables beat it")
  Path config;

  @Option(
      names = "--print-config",
      description = "print the merged settings with each value's source, and stop")
  boolean printConfig;
}
