package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.Set;

/**
 * Sign-OPT (Cheng et al. 2020, <a href="https://arxiv.org/abs/1909.10773">arXiv 1909.10773</a>,
 * algorithm 1): minimises the distance g(theta) to the boundary over directions theta. Whether a
 * direction nearby is better is one label; the mean of such signs times the directions stands in
 * for the gradient of g, followed by a line search. In L2.
 *
 * @param directions labels of an estimate
 * @param firstDirections random directions, of which the nearest boundary is the start
 * @param alpha the first step of the line search
 * @param beta how far apart directions are compared
 */
public record SignOpt(int directions, int firstDirections, double alpha, double beta)
    implements BlackBoxAttack {
  private static final int MOST_STEPS = 15;
  private static final double LEAST_ALPHA = 1e-4;
  private static final double LEAST_BETA = 1e-8;
  private static final double FIRST_TOLERANCE = 1e-5;

  /** Checks the ranges. */
  public SignOpt {
    if (directions < 1 || firstDirections < 1 || !(alpha > 0 && beta > 0)) {
      throw new IllegalArgumentException("the numbers of sign-opt are above 0");
    }
  }

  /** The released 200 labels an estimate, 100 first directions, alpha 0.2, beta 0.001. */
  public SignOpt() {
    this(200, 100, 0.2, 0.001);
  }

  @Override
  public String name() {
    return "sign-opt";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.LABELS;
  }

  @Override
  public Set<Metric> metrics() {
    return Set.of(Metric.L2);
  }

  @Override
  public void attack(Target target, Key key) {
    Draw draw = new Draw(key);
    Ray best = start(target, draw);
    double a = alpha;
    double b = beta;
    while (best != null && b >= LEAST_BETA) {
      double[] gradient = gradient(target, best, b, draw);
      Ray found = best;
      for (int k = 0; k < MOST_STEPS; k++) {
        Ray next = along(target, best, -a, gradient, found.distance, b / 500);
        a *= 2;
        if (next.distance >= found.distance) {
          break;
        }
        found = next;
      }
      if (found == best) {
        for (int k = 0; k < MOST_STEPS && found == best; k++) {
          a *= 0.25;
          Ray next = along(target, best, -a, gradient, best.distance, b / 500);
          found = next.distance < best.distance ? next : best;
        }
      }
      best = found;
      if (a < LEAST_ALPHA) {
        a = 1;
        b *= 0.1;
      }
    }
  }

  /** A direction of length 1 and how far the boundary is along it. */
  private record Ray(double[] theta, double distance) {}

  /** The nearest boundary of some random directions; else towards an image of another class. */
  private Ray start(Target target, Draw draw) {
    Ray best = null;
    for (int k = 0; k < firstDirections; k++) {
      double[] theta = draw.normals(target.size());
      double length = Metric.L2.length(theta);
      Vectors.scale(theta, 1 / length);
      double from = best == null ? length : Math.min(length, best.distance);
      if (wrong(target, theta, from)) {
        best = new Ray(theta, halve(target, theta, 0, from, FIRST_TOLERANCE));
      }
    }
    for (float[] stranger : target.strangers()) {
      if (best != null) {
        break;
      }
      double[] theta = Vectors.change(target.image(), stranger);
      double length = Metric.L2.length(theta);
      Vectors.scale(theta, 1 / length);
      if (wrong(target, theta, length)) {
        best = new Ray(theta, halve(target, theta, 0, length, FIRST_TOLERANCE));
      }
    }
    return best;
  }

  private double[] gradient(Target target, Ray best, double b, Draw draw) {
    double[][] u = new double[directions][];
    float[][] points = new float[directions][];
    float[] original = target.image();
    for (int k = 0; k < directions; k++) {
      u[k] = draw.sphere(target.size());
      double[] theta = best.theta.clone();
      Vectors.add(theta, b, u[k]);
      points[k] = Vectors.moved(original, best.distance, Metric.L2.steepest(theta));
    }
    boolean[] wrong = target.fooled(points);
    double[] sum = new double[target.size()];
    for (int k = 0; k < directions; k++) {
      // Wrong already at this distance: the boundary is nearer in that direction.
      Vectors.add(sum, (wrong[k] ? -1.0 : 1.0) / directions, u[k]);
    }
    return sum;
  }

  /** The ray of {@code theta + step * gradient}, its distance searched from {@code near} on. */
  private static Ray along(
      Target target, Ray from, double step, double[] gradient, double near, double tolerance) {
    double[] theta = from.theta.clone();
    Vectors.add(theta, step, gradient);
    theta = Metric.L2.steepest(theta);
    // Only a nearer boundary is of use, so nobody looks beyond.
    if (!wrong(target, theta, near)) {
      return new Ray(theta, Double.POSITIVE_INFINITY);
    }
    double high = near;
    double low = near * 0.99;
    while (low > 0 && wrong(target, theta, low)) {
      high = low;
      low *= 0.99;
    }
    return new Ray(theta, halve(target, theta, low, high, tolerance));
  }

  private static double halve(
      Target target, double[] theta, double low, double high, double tolerance) {
    double from = low;
    double to = high;
    while (to - from > tolerance) {
      double middle = (from + to) / 2;
      if (wrong(target, theta, middle)) {
        to = middle;
      } else {
        from = middle;
      }
    }
    return to;
  }

  private static boolean wrong(Target target, double[] theta, double distance) {
    return target.fooled(Vectors.moved(target.image(), distance, theta));
  }
}
