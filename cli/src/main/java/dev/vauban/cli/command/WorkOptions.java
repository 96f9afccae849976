package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import dev.vauban.tensor.Precision;
import picocli.CommandLine.Option;

/** Seed, threads and precision. */
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

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      defaultValue = "f32",
      description =
          "of large products: f32, or bf16 (operands in bf16; sums and all else in f32)"
              + " (default: ${DEFAULT-VALUE})")
  Precision precision;
}
