package dev.vauban.cli.command;

import dev.vauban.cli.config.DeviceName;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.job.Compute;
import dev.vauban.tensor.Precision;
import picocli.CommandLine.Option;

/** Seed, device, threads and precision. */
public final class WorkOptions {
  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "seed of all randomness (default: ${DEFAULT-VALUE})")
  long seed;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description =
          "cpu, cuda or cuda:N (an NVIDIA card), or reference (slow and exact)"
              + " (default: ${DEFAULT-VALUE})")
  DeviceName device;

  @Range(min = 1, max = Range.MOST_WORKERS)
  @Option(
      names = "--workers",
      paramLabel = "N",
      description =
          "threads of the cpu; they change the speed, never the result (default: all cores)")
  int workers = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      defaultValue = "f32",
      description =
          "of large products: f32, or bf16 (operands in bf16; sums and all else in f32)"
              + " (default: ${DEFAULT-VALUE})")
  Precision precision;

  Compute compute() {
    return new Compute(device, workers, precision);
  }
}
