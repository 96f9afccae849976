package dev.vauban.adversarial.blackbox;

/** Where decision-based attacks begin, and the way along a line to the decision boundary. */
final class Segment {
  private static final int NOISE_TRIES = 100;
  private static final double FIRST_TOLERANCE = 1e-3;

  private Segment() {}

  /**
   * An image that is answered wrongly, already moved towards the original as far as it is wrong:
   * uniform noise if the oracle takes it for another class, else one of the images that it takes
   * for another class.
   *
   * @return null if there is none
   */
  static float[] start(Target target, Draw draw) {
    float[] far = wrong(target, draw);
    return far == null ? null : towards(target, far, FIRST_TOLERANCE);
  }

  private static float[] wrong(Target target, Draw draw) {
    // Where images to start from are known, few tries: some networks give all noise one class.
    int tries = target.strangers().isEmpty() ? 100 * NOISE_TRIES : NOISE_TRIES;
    for (int k = 0; k < tries; k++) {
      float[] noise = new float[target.size()];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = (float) draw.uniform();
      }
      if (target.fooled(noise)) {
        return noise;
      }
    }
    for (float[] stranger : target.strangers()) {
      if (target.fooled(stranger)) {
        return stranger;
      }
    }
    return null;
  }

  /**
   * The image nearest to the original on the line from {@code wrong} that is still wrong, by
   * halving until the rest of the line is a share of {@code tolerance}. Each halving is a query.
   */
  static float[] towards(Target target, float[] wrong, double tolerance) {
    float[] original = target.image();
    double[] way = Vectors.change(original, wrong);
    double low = 0;
    double high = 1;
    float[] best = wrong;
    while (high - low > tolerance) {
      double middle = (low + high) / 2;
      float[] candidate = Vectors.moved(original, middle, way);
      if (target.fooled(candidate)) {
        high = middle;
        best = candidate;
      } else {
        low = middle;
      }
    }
    return best;
  }

  /** The same in Linf: the wrong image clipped to smaller and smaller boxes around the original. */
  static float[] towardsInBox(Target target, float[] wrong, double tolerance) {
    float[] original = target.image();
    double low = 0;
    double high = Metric.LINF.distance(original, wrong);
    double stop = Math.min(tolerance, tolerance * high);
    float[] best = wrong;
    while (high - low > stop) {
      double middle = (low + high) / 2;
      double[] change = Vectors.change(original, wrong);
      Metric.LINF.project(change, middle);
      float[] candidate = Vectors.moved(original, 1, change);
      if (target.fooled(candidate)) {
        high = middle;
        best = candidate;
      } else {
        low = middle;
      }
    }
    return best;
  }
}
