package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Adam (Kingma and Ba 2015) on an array, with a count of steps for each value: a value whose
 * gradient is exactly 0 was not estimated and stays as it is.
 */
final class Adam {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double GUARD = 1e-8;

  private final double rate;
  private final double[] mean;
  private final double[] square;
  private final int[] steps;

  Adam(double rate, int size) {
    this.rate = rate;
    this.mean = new double[size];
    this.square = new double[size];
    this.steps = new int[size];
  }

  /**
   * Descends the margin's estimated gradient until the attack ends, the image moved back into the
   * ball after every step.
   *
   * @param rate a share of eps
   */
  static void descend(Target target, Key key, Estimator estimator, double rate) {
    Draw draw = new Draw(key);
    Threat threat = target.threat();
    float[] original = target.image();
    float[] x = target.start();
    double[] change = Vectors.change(original, x);
    Adam adam =
        new Adam(threat.metric().perPixel(rate * threat.eps(), change.length), change.length);
    while (threat.eps() > 0) {
      adam.step(change, estimator.gradient(target::margins, x, Double.NaN, draw));
      x = threat.within(original, change);
      target.margin(x);
    }
  }

  /** Descends, in place. */
  void step(double[] values, double[] gradient) {
    for (int i = 0; i < values.length; i++) {
      double g = gradient[i];
      if (g == 0) {
        continue;
      }
      steps[i]++;
      mean[i] = BETA1 * mean[i] + (1 - BETA1) * g;
      square[i] = BETA2 * square[i] + (1 - BETA2) * g * g;
      double first = mean[i] / (1 - Math.pow(BETA1, steps[i]));
      double second = square[i] / (1 - Math.pow(BETA2, steps[i]));
      values[i] -= rate * first / (Math.sqrt(second) + GUARD);
    }
  }
}
