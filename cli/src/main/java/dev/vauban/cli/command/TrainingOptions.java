package dev.vauban.cli.command;

import dev.vauban.cli.config.MetaSchedule;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Training;
import java.util.LinkedHashMap;
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
      description =
          "Adam's step size; for rfs that of SGD with momentum (default: ${DEFAULT-VALUE}; rfs:"
              + " 0.05)")
  double metaRate;

  @Option(
      names = "--schedule",
      paramLabel = "SCHEDULE",
      defaultValue = "constant",
      description =
          "of the meta-rate: ${COMPLETION-CANDIDATES}; cosine ends at --last-rate with the last"
              + " iteration, steps divides by 10 at 60%% and 80%% (default: ${DEFAULT-VALUE};"
              + " maml++: cosine, rfs: steps)")
  MetaSchedule schedule;

  @Range(min = 0, max = 10)
  @Option(
      names = "--last-rate",
      paramLabel = "RATE",
      defaultValue = "0",
      description = "where cosine ends (default: ${DEFAULT-VALUE}; maml++: a hundredth)")
  double lastRate;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--train-ways",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "classes per training task, where protonet is to train with more; 0 for --ways (default:"
              + " ${DEFAULT-VALUE})")
  int trainWays;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--validate-shots",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "labelled images per class in validation, where the test will have other shots than"
              + " training (ITS-MAML); 0 for --shots (default: ${DEFAULT-VALUE})")
  int validateShots;

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
  Map<String, Value> presets(Method method) {
    Map<String, Value> presets = new LinkedHashMap<>();
    String source = "suited to " + method.label();
    if (method == Method.MAML_PLUS_PLUS) {
      presets.put("schedule", new Value("cosine", source));
      presets.put("last-rate", new Value(Double.toString(metaRate / 100), source));
    }
    if (method.pretrains()) {
      presets.put("schedule", new Value("steps", source));
      presets.put("meta-rate", new Value("0.05", source));
    }
    presets.put("validate-every", every());
    return presets;
  }

  private Value every() {
    return iterations < VALIDATE_EVERY
        ? new Value(Integer.toString(iterations), "once: a short run")
        : new Value(Integer.toString(VALIDATE_EVERY), "default");
  }

  Training training(WorkOptions work) {
    return new Training(
        iterations,
        metaBatch,
        metaRate,
        schedule,
        clip,
        work.seed,
        work.compute(),
        logEvery,
        checkpointEvery,
        keep,
        validateEvery,
        validateEpisodes,
        validateSteps,
        lastRate,
        trainWays,
        validateShots,
        maxMinutes);
  }
}
