package dev.vauban.adversarial.blackbox;

/**
 * What counts as a success: a wrong answer for an image at most {@code eps} away.
 *
 * @param metric how far an image is
 * @param eps the radius, at least 0; 0 asks attacks that minimise the distance to go on to the end
 *     of their budget
 */
public record Threat(Metric metric, double eps) {
  /** Checks the radius. */
  public Threat {
    if (!(eps >= 0) || Double.isInfinite(eps)) {
      throw new IllegalArgumentException("eps is a finite number of at least 0, not " + eps);
    }
  }

  /** The ball of pixels that change by at most {@code eps}. */
  public static Threat linf(double eps) {
    return new Threat(Metric.LINF, eps);
  }

  /** The ball of changes of Euclidean length at most {@code eps}. */
  public static Threat l2(double eps) {
    return new Threat(Metric.L2, eps);
  }

  /** Whether a change of this length is allowed; a millionth is for rounding to float. */
  boolean allows(double distance) {
    return eps > 0 && distance <= eps + 1e-6 * Math.max(1, eps);
  }

  /** {@code x + change}, moved into the ball around x and into [0,1]. */
  float[] within(float[] x, double[] change) {
    metric.project(change, eps);
    return Vectors.moved(x, 1, change);
  }
}
