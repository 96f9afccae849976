package dev.vauban.cli.tuning;

import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.TunerEvaluation;
import dev.vauban.meta.tuning.UniversalAttack;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A tuner on the tasks of one source: its figures after every step, one for each task, and the
 * perturbations at the end.
 *
 * @param figures by step, from step 1
 * @param deltas of the first tasks, [H,W,C] each
 */
record Trial(List<Map<String, double[]>> figures, List<float[]> deltas) {
  /**
   * What a trial is made on.
   *
   * @param device where it runs
   * @param problems the tasks
   * @param first number of the first task
   * @param tasks how many
   * @param gradients what a tuner sees of the loss
   * @param key of the estimates' directions: the same for all tuners
   */
  record Ground(
      Device device,
      UniversalAttack problems,
      long first,
      int tasks,
      Gradients gradients,
      Key key) {
    /** Lets a tuner do its steps. */
    Trial of(Tuner tuner, Tree<Tensor> weights, int steps) {
      try (TunerEvaluation evaluation =
          TunerEvaluation.compile(device, tuner, problems, tasks, gradients)) {
        List<Map<String, double[]>> figures = new ArrayList<>();
        evaluation.run(weights, first, steps, key).forEach(p -> figures.add(p.values()));
        return new Trial(figures, deltas(evaluation.variables().get("delta"), tasks));
      }
    }

    /**
     * Lets each of some perturbations stand in every task; a task's figures are means over them.
     */
    Trial of(List<float[]> patterns) {
      Tuner still = Tuner.startingWell(problems.variables(), Optimizers.sgd(0));
      try (Scope scope = Scope.open();
          TunerEvaluation evaluation =
              TunerEvaluation.compile(device, still, problems, tasks, Gradients.exact())) {
        Tensor delta = scope.tensor(problems.variables().get("delta"));
        Tree<Tensor> start = Tree.<Tensor>empty().with("start", Tree.of("delta", delta));
        Map<String, double[]> means = new LinkedHashMap<>();
        List<float[]> shown = new ArrayList<>();
        for (float[] pattern : patterns) {
          delta.set(pattern);
          evaluation
              .run(start, first, 1, key)
              .getFirst()
              .values()
              .forEach((name, values) -> {
                double[] sum = means.computeIfAbsent(name, n -> new double[values.length]);
                for (int t = 0; t < values.length; t++) {
                  sum[t] += values[t] / patterns.size();
                }
              });
          shown.addAll(deltas(evaluation.variables().get("delta"), 1));
        }
        return new Trial(List.of(means), shown);
      }
    }

    private static List<float[]> deltas(Tensor all, int count) {
      float[] values = all.toFloats();
      int size = Math.toIntExact(all.shape().size() / all.shape().dim(0));
      List<float[]> deltas = new ArrayList<>();
      for (int t = 0; t < count; t++) {
        deltas.add(Arrays.copyOfRange(values, t * size, (t + 1) * size));
      }
      return deltas;
    }
  }

  /**
   * The share of unseen images that are misclassified after some steps, the mean over the tasks.
   */
  double unseen(int steps) {
    return mean(values(steps, "success_unseen"));
  }

  /**
   * The figures after some steps.
   *
   * @param rate the tuner's; null for none
   * @param queries images that the victim answered for one task by then
   * @param pixels of a perturbation
   */
  Point point(int steps, Double rate, long queries, int pixels) {
    double[] unseen = values(steps, "success_unseen");
    double[] seen = values(steps, "success");
    double l1 = mean(values(steps, "l1"));
    return new Point(
        steps,
        rate,
        mean(unseen),
        halfWidth(unseen),
        mean(seen),
        halfWidth(seen),
        l1,
        mean(values(steps, "l2")),
        mean(values(steps, "linf")),
        l1 / pixels,
        queries);
  }

  private double[] values(int steps, String name) {
    return figures.get(Math.min(steps, figures.size()) - 1).get(name);
  }

  static double mean(double[] values) {
    double sum = 0;
    for (double v : values) {
      sum += v;
    }
    return sum / values.length;
  }

  /** Of the 95% confidence interval of the mean; 0 for a single value. */
  static double halfWidth(double[] values) {
    double mean = mean(values);
    double squares = 0;
    for (double v : values) {
      squares += (v - mean) * (v - mean);
    }
    return values.length < 2
        ? 0
        : 1.96 * Math.sqrt(squares / (values.length - 1.0) / values.length);
  }
}
