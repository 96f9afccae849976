package dev.vauban.cli.work;

import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Path;
import java.util.Map;

/**
 * The last figures of a run, whichever session wrote them: what its metrics say until this session
 * has newer ones. Null stands for what was not measured yet.
 */
final class LastFigures {
  private Double loss;
  private Double clean;
  private Double robust;
  private long validatedStep;

  private LastFigures() {}

  /** What the metrics of the run in {@code folder} say. */
  static LastFigures of(Path folder) {
    LastFigures last = new LastFigures();
    for (MetricsLog.Line line : MetricsLog.read(RunDirectory.metricsOf(folder))) {
      Map<String, Double> values = line.values();
      last.loss = values.getOrDefault("loss", last.loss);
      if (values.containsKey("clean") && values.containsKey("robust")) {
        last.validation(line.step(), values.get("clean"), values.get("robust"));
      }
    }
    return last;
  }

  void loss(double value) {
    loss = value;
  }

  void validation(long step, double cleanAccuracy, double robustAccuracy) {
    validatedStep = step;
    clean = cleanAccuracy;
    robust = robustAccuracy;
  }

  /** The mean meta-loss of the last metrics line. */
  Double loss() {
    return loss;
  }

  /** Clean accuracy of the last validation, 0..1. */
  Double clean() {
    return clean;
  }

  /** Accuracy under attack of the last validation, 0..1. */
  Double robust() {
    return robust;
  }

  /** The step of the last validation; 0 if there was none. */
  long validatedStep() {
    return validatedStep;
  }
}
