package dev.vauban.cli.report;

/**
 * One line of a chart.
 *
 * @param name in the legend
 * @param x rising
 * @param y one per x; NaN leaves a gap
 * @param halfWidth half-widths of a band around y; empty for no band
 * @param hue the colour, 0..5, from the page's palette; the same method gets the same in all charts
 * @param stroke the line's dash
 */
public record Series(
    String name, double[] x, double[] y, double[] halfWidth, int hue, Stroke stroke) {
  private static final int MOST_POINTS = 300;

  /** How a line is drawn. */
  public enum Stroke {
    /** The main quantity. */
    SOLID,
    /** Its companion. */
    DASHED
  }

  /** Checks that the lengths agree. */
  public Series {
    if (x.length != y.length || halfWidth.length != 0 && halfWidth.length != x.length) {
      throw new IllegalArgumentException(
          "series %s has %d x, %d y and %d half-widths"
              .formatted(name, x.length, y.length, halfWidth.length));
    }
  }

  /** A line without a band. */
  public Series(String name, double[] x, double[] y, int hue, Stroke stroke) {
    this(name, x, y, new double[0], hue, stroke);
  }

  /** The same line with at most a few hundred points: means over equal shares of a long series. */
  Series thinned() {
    if (x.length <= MOST_POINTS) {
      return this;
    }
    double[] newX = new double[MOST_POINTS];
    double[] newY = new double[MOST_POINTS];
    double[] newHalf = new double[halfWidth.length == 0 ? 0 : MOST_POINTS];
    for (int b = 0; b < MOST_POINTS; b++) {
      int from = (int) ((long) b * x.length / MOST_POINTS);
      int to = (int) ((long) (b + 1) * x.length / MOST_POINTS);
      newX[b] = mean(x, from, to);
      newY[b] = mean(y, from, to);
      if (newHalf.length > 0) {
        newHalf[b] = mean(halfWidth, from, to);
      }
    }
    return new Series(name, newX, newY, newHalf, hue, stroke);
  }

  private static double mean(double[] values, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += values[i];
    }
    return sum / (to - from);
  }
}
