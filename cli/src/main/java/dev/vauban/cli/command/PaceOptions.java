package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import dev.vauban.cli.run.Pace;
import picocli.CommandLine.Option;

/** How often a training is written down, and when it ends early. */
public final class PaceOptions {
  @Range(min = 1)
  @Option(
      names = "--log-every",
      paramLabel = "N",
      defaultValue = "12",
      description = "steps between two metrics lines (default: ${DEFAULT-VALUE})")
  int logEvery;

  @Range(min = 1)
  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "60",
      description = "steps between two checkpoints (default: ${DEFAULT-VALUE})")
  int checkpointEvery;

  @Range(min = 1)
  @Option(
      names = "--keep",
      paramLabel = "N",
      defaultValue = "2",
      description = "checkpoints to keep (default: ${DEFAULT-VALUE})")
  int keep;

  @Range(min = 0)
  @Option(
      names = "--max-minutes",
      paramLabel = "M",
      defaultValue = "0",
      description =
          "end after this time with a checkpoint, to be continued with --resume; 0 for no limit"
              + " (default: ${DEFAULT-VALUE})")
  double maxMinutes;

  Pace pace() {
    return new Pace(logEvery, checkpointEvery, keep, maxMinutes);
  }
}
