package dev.vauban.cli.command;

import dev.vauban.cli.config.MetaSchedule;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Training;
import java.util.Map;
import picocli.CommandLine.Option;

/** The outer loop: how long, how wide, how often to save. */
public final class TrainingOptions {
  private static final int VALIDATE_EVERY = 250;

  @Range(min = 1)
  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = "1500",
      description = "meta-steps (default: ${DEFAULT-VALUE})")
  int iterations;

  @Range(min = 1, max = 4096)
  @Option(
      names = "--meta-batch",
      paramLabel = "N",
      defaultValue = "4",
      description = "tasks per meta-step (default: ${DEFAULT-VALUE})")
  int metaBatch;

  @Range(above = 0, max = 10)
  @Option(
      names = "--meta-rate",
      paramLabel = "RATE",
      defaultValue = "0.001",
      description = "Adam's step size (default: ${DEFAULT-VALUE})")
  double metaRate;

  @Option(
      names = "--schedule",
      paramLabel = "SCHEDULE",
      defaultValue = "constant",
      description =
          "of the meta-rate: ${COMPLETION-CANDIDATES}; cosine ends at 0 with the last iteration"
              + " (default: ${DEFAULT-VALUE})")
  MetaSchedule schedule;

  @Range(min = 0)
  @Option(
      names = "--clip",
      paramLabel = "NORM",
      defaultValue = "10",
      description =
          "largest norm of the meta-gradient; 0 for no clipping (default: ${DEFAULT-VALUE})")
  double clip;

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

  @Range(min = 0)
  @Option(
      names = "--max-minutes",
      paramLabel = "M",
      defaultValue = "0",
      description =
          "end after this time with a checkpoint, to be continued with --resume; 0 for no limit"
              + " (default: ${DEFAULT-VALUE})")
  double maxMinutes;

  /** A run that is shorter than the usual distance of two validations has one, at its end. */
  Map<String, Value> presets() {
    Value every =
        iterations < VALIDATE_EVERY
            ? new Value(Integer.toString(iterations), "once: a short run")
            : new Value(Integer.toString(VALIDATE_EVERY), "default");
    return Map.of("validate-every", every);
  }

  Training training(WorkOptions work) {
    return new Training(
        iterations,
        metaBatch,
        metaRate,
        schedule,
        clip,
        work.seed,
        work.workers,
        work.precision,
        logEvery,
        checkpointEvery,
        keep,
        validateEvery,
        validateEpisodes,
        validateSteps,
        maxMinutes);
  }
}
