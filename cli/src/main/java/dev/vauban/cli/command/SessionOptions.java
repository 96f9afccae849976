package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Validations;
import dev.vauban.cli.run.Pace;
import java.util.Map;
import picocli.CommandLine.Option;

/** What a session of a meta-training does beside its steps: log, save, validate, end. */
public final class SessionOptions {
  private static final int VALIDATE_EVERY = 250;

  @Range(min = 1)
  @Option(
      names = "--log-every",
      paramLabel = "N",
      defaultValue = "10",
      description = "meta-steps between two metrics lines (default: ${DEFAULT-VALUE})")
  int logEvery;

  @Range(min = 1)
  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      defaultValue = "100",
      description = "meta-steps between two checkpoints (default: ${DEFAULT-VALUE})")
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

  @Range(min = 0)
  @Option(
      names = "--validate-every",
      paramLabel = "N",
      description =
          "meta-steps between two validations; 0 for none (default: 250, or all of a shorter run)")
  int validateEvery;

  @Range(min = 1)
  @Option(
      names = "--validate-episodes",
      paramLabel = "N",
      defaultValue = "50",
      description = "episodes of a validation (default: ${DEFAULT-VALUE})")
  int validateEpisodes;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--validate-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "fine-tune steps in validation (default: ${DEFAULT-VALUE})")
  int validateSteps;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--validate-shots",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "labelled images per class in validation, where the test will have other shots than"
              + " training (ITS-MAML); 0 for --shots (default: ${DEFAULT-VALUE})")
  int validateShots;

  /** A run that is shorter than the usual distance of two validations has one, at its end. */
  Map<String, Value> presets(int iterations) {
    Value every =
        iterations < VALIDATE_EVERY
            ? new Value(Integer.toString(iterations), "once: a short run")
            : new Value(Integer.toString(VALIDATE_EVERY), "default");
    return Map.of("validate-every", every);
  }

  Pace pace() {
    return new Pace(logEvery, checkpointEvery, keep, maxMinutes);
  }

  Validations validations() {
    return new Validations(validateEpisodes, validateSteps, validateShots);
  }
}
