package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import picocli.CommandLine.Option;

/** Seed and threads. */
public final class WorkOptions {
  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "seed of all randomness (default: ${DEFAULT-VALUE})")
  long seed;

  @Range(min = 1, max = Range.MOST_WORKERS)
  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "threads; they change the speed, never the result (default: all cores)")
  int workers = Runtime.getRuntime().availableProcessors();
}
