package dev.vauban.nn.data;

import dev.vauban.tensor.Key;
import java.util.ArrayList;
import java.util.List;

/**
 * A made-up character: two to five strokes, each a chain of cubic Bezier curves, in a box of side
 * at most 2 around the origin.
 *
 * @param strokes x and y of 3n+1 control points for each stroke
 */
record Glyph(List<double[]> strokes) {
  private static final int GRID = 5;
  private static final double SHORTEST = 0.8;

  /** The character of a key: strokes between grid points, most of them touching an earlier one. */
  static Glyph of(Key key) {
    Draws draws = new Draws(key);
    double u = draws.uniform();
    int count = u < 0.30 ? 2 : u < 0.70 ? 3 : u < 0.92 ? 4 : 5;
    List<double[]> strokes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      strokes.add(stroke(draws, strokes));
    }
    return new Glyph(strokes).centred();
  }

  private static double[] stroke(Draws draws, List<double[]> earlier) {
    double[] start =
        !earlier.isEmpty() && draws.chance(0.6)
            ? joint(draws, earlier.get(draws.index(earlier.size())))
            : gridPoint(draws);
    double kind = draws.uniform();
    if (kind < 0.18) {
      return arc(draws, start);
    }
    double[] end = farPoint(draws, start);
    if (kind < 0.48) {
      return line(start, end);
    }
    if (kind < 0.62) {
      return corner(start, farPoint(draws, start), end);
    }
    return curve(draws, start, end);
  }

  private static double[] gridPoint(Draws draws) {
    return new double[] {
      2.0 * draws.index(GRID) / (GRID - 1) - 1, 2.0 * draws.index(GRID) / (GRID - 1) - 1
    };
  }

  // A stroke shorter than this would be lost in the width of the pen.
  private static double[] farPoint(Draws draws, double[] from) {
    while (true) {
      double[] p = gridPoint(draws);
      double dx = p[0] - from[0];
      double dy = p[1] - from[1];
      if (dx * dx + dy * dy >= SHORTEST * SHORTEST) {
        return p;
      }
    }
  }

  // The start, the end or an inner anchor of a stroke.
  private static double[] joint(Draws draws, double[] stroke) {
    int anchors = stroke.length / 6 + 1;
    int at = 6 * draws.index(anchors);
    if (anchors == 2 && draws.chance(0.4)) {
      // The middle of a single curve.
      return new double[] {
        (stroke[0] + 3 * stroke[2] + 3 * stroke[4] + stroke[6]) / 8,
        (stroke[1] + 3 * stroke[3] + 3 * stroke[5] + stroke[7]) / 8
      };
    }
    return new double[] {stroke[at], stroke[at + 1]};
  }

  private static double[] line(double[] a, double[] b) {
    double dx = (b[0] - a[0]) / 3;
    double dy = (b[1] - a[1]) / 3;
    return new double[] {a[0], a[1], a[0] + dx, a[1] + dy, b[0] - dx, b[1] - dy, b[0], b[1]};
  }

  private static double[] corner(double[] a, double[] b, double[] c) {
    double[] first = line(a, b);
    double[] second = line(b, c);
    double[] both = new double[14];
    System.arraycopy(first, 0, both, 0, 8);
    System.arraycopy(second, 2, both, 8, 6);
    return both;
  }

  // A bow or an S: handles off the straight line, to one side or to both.
  private static double[] curve(Draws draws, double[] a, double[] b) {
    double dx = b[0] - a[0];
    double dy = b[1] - a[1];
    double side = draws.chance(0.5) ? 1 : -1;
    double first = side * draws.between(0.4, 1.0);
    double second = draws.chance(0.65) ? first : -first;
    return new double[] {
      a[0],
      a[1],
      a[0] + 0.25 * dx - first * dy,
      a[1] + 0.25 * dy + first * dx,
      a[0] + 0.75 * dx - second * dy,
      a[1] + 0.75 * dy + second * dx,
      b[0],
      b[1]
    };
  }

  // A half, three-quarter or whole circle, one cubic for each quarter.
  private static double[] arc(Draws draws, double[] start) {
    double radius = draws.between(0.35, 0.7);
    int quarters = 2 + draws.index(3);
    double turn = draws.chance(0.5) ? 1 : -1;
    double angle = draws.index(8) * Math.PI / 4;
    double handle = radius * 0.5522847498307936;
    double cx = start[0] - radius * StrictMath.cos(angle);
    double cy = start[1] - radius * StrictMath.sin(angle);
    double[] p = new double[6 * quarters + 2];
    for (int q = 0; q <= quarters; q++) {
      double a = angle + turn * q * Math.PI / 2;
      double cos = StrictMath.cos(a);
      double sin = StrictMath.sin(a);
      double x = cx + radius * cos;
      double y = cy + radius * sin;
      int at = 6 * q;
      p[at] = x;
      p[at + 1] = y;
      if (q > 0) {
        p[at - 2] = x + turn * handle * sin;
        p[at - 1] = y - turn * handle * cos;
      }
      if (q < quarters) {
        p[at + 2] = x - turn * handle * sin;
        p[at + 3] = y + turn * handle * cos;
      }
    }
    return p;
  }

  // The ink's box centred, its longer side 2.
  private Glyph centred() {
    double[] low = {Double.MAX_VALUE, Double.MAX_VALUE};
    double[] high = {-Double.MAX_VALUE, -Double.MAX_VALUE};
    for (double[] stroke : strokes) {
      for (int i = 0; i + 7 < stroke.length; i += 6) {
        for (int k = 0; k <= 8; k++) {
          for (int axis = 0; axis < 2; axis++) {
            double v = StrokeRaster.cubic(stroke, i + axis, k / 8.0);
            low[axis] = Math.min(low[axis], v);
            high[axis] = Math.max(high[axis], v);
          }
        }
      }
    }
    double scale = 2 / Math.max(high[0] - low[0], high[1] - low[1]);
    List<double[]> moved = new ArrayList<>();
    for (double[] stroke : strokes) {
      double[] m = new double[stroke.length];
      for (int i = 0; i < m.length; i++) {
        m[i] = (stroke[i] - (low[i & 1] + high[i & 1]) / 2) * scale;
      }
      moved.add(m);
    }
    return new Glyph(moved);
  }
}
