package dev.vauban.cli.command;

import dev.vauban.cli.config.MetaSchedule;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.OuterLoop;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** The outer loop: how long, how wide, how fast. */
public final class OuterOptions {
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

  @Range(min = 0)
  @Option(
      names = "--clip",
      paramLabel = "NORM",
      defaultValue = "10",
      description =
          "largest norm of the meta-gradient; 0 for no clipping (default: ${DEFAULT-VALUE})")
  double clip;

  /** What suits a method. */
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
    return presets;
  }

  OuterLoop loop(WorkOptions work) {
    return new OuterLoop(
        iterations,
        metaBatch,
        metaRate,
        schedule,
        lastRate,
        clip,
        trainWays,
        work.seed,
        work.compute());
  }
}
