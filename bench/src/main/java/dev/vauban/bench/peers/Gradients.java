package dev.vauban.bench.peers;

import java.util.Map;
import java.util.function.IntFunction;

/** Gradients and other results by path, compared. */
public final class Gradients {
  private Gradients() {}

  /** The mean over tasks. */
  public static Map<String, float[]> mean(IntFunction<Map<String, float[]>> gradient, int tasks) {
    Map<String, float[]> mean = gradient.apply(0);
    for (int t = 1; t < tasks; t++) {
      gradient
          .apply(t)
          .forEach((path, g) -> {
            float[] sum = mean.get(path);
            for (int i = 0; i < g.length; i++) {
              sum[i] += g[i];
            }
          });
    }
    for (float[] sum : mean.values()) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] /= tasks;
      }
    }
    return mean;
  }

  /**
   * The length of the difference relative to the length of what is expected, over all leaves as one
   * vector; infinite if there is a NaN.
   */
  public static double error(Map<String, float[]> gradient, Map<String, float[]> expected) {
    double difference = 0;
    double length = 0;
    for (Map.Entry<String, float[]> e : expected.entrySet()) {
      float[] g = gradient.get(e.getKey());
      for (int i = 0; i < g.length; i++) {
        double d = (double) g[i] - e.getValue()[i];
        difference += d * d;
        length += (double) e.getValue()[i] * e.getValue()[i];
      }
    }
    double error = Math.sqrt(difference / length);
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }
}
