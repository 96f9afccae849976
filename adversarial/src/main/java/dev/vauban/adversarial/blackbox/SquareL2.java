package dev.vauban.adversarial.blackbox;

/**
 * The Square attack in the L2 ball. The change always has the full length, but for a guide's start;
 * a step moves what two windows hold into the first of them, with a bump of a fixed profile in the
 * middle.
 */
final class SquareL2 {
  private static final int TILES = 5;

  private final Target target;
  private final Draw draw;
  private final Square square;
  private final float[] x;
  private final int h;
  private final int w;
  private final int channels;
  private final double eps;

  SquareL2(Target target, Draw draw, Square square) {
    this.target = target;
    this.draw = draw;
    this.square = square;
    this.x = target.image();
    this.h = target.shape().dim(0);
    this.w = target.shape().dim(1);
    this.channels = target.shape().dim(2);
    this.eps = target.threat().eps();
  }

  void run() {
    float[] best = target.guided() ? target.start() : ofLength(tiles());
    double margin = target.margin(best);
    int largest = Math.min(h, w) - (Math.min(h, w) + 1) % 2; // odd
    while (eps > 0) {
      double pixels = square.share(target.asked(), target.budget()) * h * w;
      int side = Math.max((int) Math.round(Math.sqrt(pixels)), 3);
      side = Math.min(side % 2 == 0 ? side + 1 : side, largest);
      double[] change = Vectors.change(x, best);
      float[] candidate = ofLength(moved(change, side));
      double lower = target.margin(candidate);
      if (lower < margin) {
        margin = lower;
        best = candidate;
      }
    }
  }

  /** The image changed by {@code change}, stretched to the length eps. */
  private float[] ofLength(double[] change) {
    double length = Metric.L2.length(change);
    return Vectors.moved(x, length > 0 ? eps / length : 0, change);
  }

  /** Where the search begins: a grid of bumps up and down. */
  private double[] tiles() {
    double[] change = new double[x.length];
    int side = Math.max(1, Math.min(h, w) / TILES);
    int margin = Math.max(0, (Math.min(h, w) - side * TILES) / 2);
    for (int top = margin; top + side <= h; top += side) {
      for (int left = margin; left + side <= w; left += side) {
        double[] bump = bump(side);
        for (int c = 0; c < channels; c++) {
          write(change, top, left, c, side, bump, draw.sign());
        }
      }
    }
    return change;
  }

  /** The change with the content of two windows in the first of them. */
  private double[] moved(double[] change, int side) {
    int top = draw.index(h - side + 1);
    int left = draw.index(w - side + 1);
    int top2 = draw.index(h - side + 1);
    int left2 = draw.index(w - side + 1);
    double free = Math.max(0, eps * eps - Vectors.dot(change, change)) / channels;
    double[] bump = bump(side);
    double[][] fresh = new double[channels][];
    for (int c = 0; c < channels; c++) {
      double[] old = read(change, top, left, c, side);
      double[] other = read(change, top2, left2, c, side);
      double held = Vectors.dot(old, old) + Vectors.dot(other, other);
      held -= common(change, top, left, top2, left2, c, side);
      double[] direction = bump.clone();
      Vectors.scale(direction, draw.sign());
      Vectors.add(direction, 1 / (1e-10 + Metric.L2.length(old)), old);
      double length = Metric.L2.length(direction);
      Vectors.scale(direction, length > 0 ? Math.sqrt(free + Math.max(0, held)) / length : 0);
      fresh[c] = direction;
    }
    for (int c = 0; c < channels; c++) {
      write(change, top2, left2, c, side, new double[side * side], 1);
    }
    for (int c = 0; c < channels; c++) {
      write(change, top, left, c, side, fresh[c], 1);
    }
    return change;
  }

  /** The squares where both windows lie, which are not to be counted twice. */
  private double common(double[] change, int top, int left, int top2, int left2, int c, int side) {
    double sum = 0;
    for (int i = Math.max(top, top2); i < Math.min(top, top2) + side; i++) {
      for (int j = Math.max(left, left2); j < Math.min(left, left2) + side; j++) {
        double value = change[(i * w + j) * channels + c];
        sum += value * value;
      }
    }
    return sum;
  }

  private double[] read(double[] change, int top, int left, int c, int side) {
    double[] window = new double[side * side];
    for (int i = 0; i < side; i++) {
      for (int j = 0; j < side; j++) {
        window[i * side + j] = change[((top + i) * w + left + j) * channels + c];
      }
    }
    return window;
  }

  private void write(
      double[] change, int top, int left, int c, int side, double[] window, double factor) {
    for (int i = 0; i < side; i++) {
      for (int j = 0; j < side; j++) {
        change[((top + i) * w + left + j) * channels + c] = factor * window[i * side + j];
      }
    }
  }

  /** Two half windows of opposite sign, of length 1 together; turned by chance. */
  private double[] bump(int side) {
    double[] bump = new double[side * side];
    half(bump, side, 0, side / 2, 1);
    half(bump, side, side / 2, side - side / 2, -1);
    boolean turned = draw.sign() > 0;
    double length = Metric.L2.length(bump);
    double[] result = new double[bump.length];
    for (int i = 0; i < side; i++) {
      for (int j = 0; j < side; j++) {
        result[turned ? j * side + i : i * side + j] = bump[i * side + j] / length;
      }
    }
    return result;
  }

  /**
   * The profile of the paper's eta on rows {@code from} to {@code from + rows}: rectangle number k
   * around the centre, counted from 0, adds 1/(k+1)^2.
   */
  private static void half(double[] bump, int side, int from, int rows, int sign) {
    double[] profile = new double[rows * side];
    int middleI = rows / 2;
    int middleJ = side / 2;
    for (int k = 0; k <= Math.max(middleI, middleJ); k++) {
      double weight = 1.0 / ((k + 1) * (k + 1));
      for (int i = Math.max(0, middleI - k); i <= Math.min(rows - 1, middleI + k); i++) {
        for (int j = Math.max(0, middleJ - k); j <= Math.min(side - 1, middleJ + k); j++) {
          profile[i * side + j] += weight;
        }
      }
    }
    double length = Metric.L2.length(profile);
    for (int p = 0; p < profile.length; p++) {
      bump[from * side + p] = length > 0 ? sign * profile[p] / length : 0;
    }
  }
}
