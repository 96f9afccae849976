package dev.vauban.nn.data;

import dev.vauban.tensor.Key;

/**
 * One person's way of drawing a glyph once: slant, size, place, pen and an unsteady hand. Tuned so
 * that few-shot learners and attacks fare nearly as on Omniglot; docs/data.md has the figures.
 */
final class Hand {
  private static final double ROTATION = 0.14; // radians, standard deviation
  private static final double SHEAR = 0.12;
  private static final double SHIFT = 0.08; // of half the canvas
  private static final double STROKE_SHIFT = 0.07; // of half the glyph, each stroke by itself
  private static final double WOBBLE = 0.06; // of half the glyph, each control point

  private final Draws draws;
  private final double[] map;
  private final double radius;

  /** The hand of a key on a canvas of {@code size} pixels a side. */
  Hand(Key key, int size) {
    this.draws = new Draws(key);
    double angle = ROTATION * draws.bell();
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    double reach = size * draws.between(0.26, 0.38);
    double sx = reach * draws.between(0.85, 1.15);
    double sy = reach * draws.between(0.85, 1.15);
    double shear = SHEAR * draws.bell();
    // Shear, then scale, then rotation: [cos -sin; sin cos] [sx 0; 0 sy] [1 shear; 0 1].
    this.map =
        new double[] {
          cos * sx,
          cos * sx * shear - sin * sy,
          sin * sx,
          sin * sx * shear + cos * sy,
          size * (0.5 + 0.5 * SHIFT * draws.bell()),
          size * (0.5 + 0.5 * SHIFT * draws.bell())
        };
    this.radius = size / 28.0 * draws.between(0.55, 0.75);
  }

  /** Draws the glyph. */
  void draw(Glyph glyph, StrokeRaster raster) {
    raster.clear();
    for (double[] stroke : glyph.strokes()) {
      raster.stroke(unsteady(stroke), radius);
    }
  }

  private double[] unsteady(double[] stroke) {
    double[] p = new double[stroke.length];
    double shiftX = STROKE_SHIFT * draws.bell();
    double shiftY = STROKE_SHIFT * draws.bell();
    for (int i = 0; i < p.length; i += 2) {
      double x = stroke[i] + shiftX + WOBBLE * draws.bell();
      double y = stroke[i + 1] + shiftY + WOBBLE * draws.bell();
      p[i] = map[0] * x + map[1] * y + map[4];
      p[i + 1] = map[2] * x + map[3] * y + map[5];
    }
    return p;
  }
}
