package dev.vauban.adversarial.blackbox;

/** How the change of an image is measured, with the moves in that measure. */
public enum Metric {
  /** The largest change of a pixel. */
  LINF("Linf") {
    @Override
    public double length(double[] v) {
      double most = 0;
      for (double value : v) {
        most = Math.max(most, Math.abs(value));
      }
      return most;
    }

    @Override
    public double distance(float[] a, float[] b) {
      double most = 0;
      for (int i = 0; i < a.length; i++) {
        most = Math.max(most, Math.abs((double) a[i] - b[i]));
      }
      return most;
    }

    @Override
    void project(double[] change, double eps) {
      for (int i = 0; i < change.length; i++) {
        change[i] = Math.max(-eps, Math.min(eps, change[i]));
      }
    }

    @Override
    double[] steepest(double[] gradient) {
      double[] signs = new double[gradient.length];
      for (int i = 0; i < signs.length; i++) {
        signs[i] = Math.signum(gradient[i]);
      }
      return signs;
    }

    @Override
    double perPixel(double length, int pixels) {
      return length;
    }
  },
  /** The Euclidean length of the change. */
  L2("L2") {
    @Override
    public double length(double[] v) {
      double sum = 0;
      for (double value : v) {
        sum += value * value;
      }
      return Math.sqrt(sum);
    }

    @Override
    public double distance(float[] a, float[] b) {
      double sum = 0;
      for (int i = 0; i < a.length; i++) {
        double d = (double) a[i] - b[i];
        sum += d * d;
      }
      return Math.sqrt(sum);
    }

    @Override
    void project(double[] change, double eps) {
      double length = length(change);
      if (length > eps) {
        Vectors.scale(change, eps / length);
      }
    }

    @Override
    double[] steepest(double[] gradient) {
      double[] direction = gradient.clone();
      double length = length(gradient);
      Vectors.scale(direction, length > 0 ? 1 / length : 0);
      return direction;
    }

    @Override
    double perPixel(double length, int pixels) {
      return length / Math.sqrt(pixels);
    }
  };

  private final String label;

  Metric(String label) {
    this.label = label;
  }

  /** The length of a change. */
  public abstract double length(double[] v);

  /** The length of the change from {@code a} to {@code b}. */
  public abstract double distance(float[] a, float[] b);

  /** Moves a change back into the ball of radius {@code eps}, in place. */
  abstract void project(double[] change, double eps);

  /** The direction of length 1 in which a linear function with this gradient rises fastest. */
  abstract double[] steepest(double[] gradient);

  /** How far each pixel moves if all move alike and the change has this length. */
  abstract double perPixel(double length, int pixels);

  /** {@code Linf} or {@code L2}. */
  @Override
  public String toString() {
    return label;
  }
}
