package dev.vauban.nn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Draws round-ended strokes on a square canvas by distance: a pixel is full where its centre is
 * deeper than half a pixel inside the stroke, empty half a pixel outside, linear between. Overlaps
 * do not add up. One raster per thread.
 */
final class StrokeRaster {
  // Pieces of a cubic; at 28 pixels the polyline is within 1/20 pixel of the curve.
  private static final int PIECES = 8;

  private final int size;
  private final double[] distance;

  StrokeRaster(int size) {
    this.size = size;
    this.distance = new double[size * size];
  }

  /** Empties the canvas. */
  void clear() {
    Arrays.fill(distance, Double.POSITIVE_INFINITY);
  }

  /**
   * Draws a chain of cubic Bezier curves.
   *
   * @param points x and y in pixels, from the canvas corner, of 3n+1 control points in turn
   * @param radius half the stroke width in pixels
   */
  void stroke(double[] points, double radius) {
    for (int i = 0; i + 7 < points.length; i += 6) {
      double x = points[i];
      double y = points[i + 1];
      for (int k = 1; k <= PIECES; k++) {
        double t = (double) k / PIECES;
        double nextX = cubic(points, i, t);
        double nextY = cubic(points, i + 1, t);
        line(x, y, nextX, nextY, radius);
        x = nextX;
        y = nextY;
      }
    }
  }

  /**
   * One coordinate of a cubic at {@code t} in 0..1; its control values are 2 apart from {@code at}.
   */
  static double cubic(double[] p, int at, double t) {
    double s = 1 - t;
    return s * s * s * p[at]
        + 3 * s * s * t * p[at + 2]
        + 3 * s * t * t * p[at + 4]
        + t * t * t * p[at + 6];
  }

  // The canvas keeps each pixel's least distance to a stroke's edge, in pixels.
  private void line(double x0, double y0, double x1, double y1, double radius) {
    double reach = radius + 1;
    int left = clamp(Math.min(x0, x1) - reach);
    int right = clamp(Math.max(x0, x1) + reach);
    int top = clamp(Math.min(y0, y1) - reach);
    int bottom = clamp(Math.max(y0, y1) + reach);
    double dx = x1 - x0;
    double dy = y1 - y0;
    double square = dx * dx + dy * dy;
    for (int py = top; py <= bottom; py++) {
      for (int px = left; px <= right; px++) {
        double ax = px + 0.5 - x0;
        double ay = py + 0.5 - y0;
        double t = square > 0 ? (ax * dx + ay * dy) / square : 0;
        t = Math.min(1, Math.max(0, t));
        double ex = ax - t * dx;
        double ey = ay - t * dy;
        double d = Math.sqrt(ex * ex + ey * ey) - radius;
        int at = py * size + px;
        distance[at] = Math.min(distance[at], d);
      }
    }
  }

  private int clamp(double coordinate) {
    return (int) Math.min(size - 1.0, Math.max(0, Math.floor(coordinate)));
  }

  /** Writes the canvas as u8 [size, size, 1], stroke 255. */
  void write(MemorySegment out) {
    for (int i = 0; i < distance.length; i++) {
      double ink = Math.min(1, Math.max(0, 0.5 - distance[i]));
      out.set(ValueLayout.JAVA_BYTE, i, (byte) (int) (255 * ink + 0.5));
    }
  }
}
