package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;

/**
 * A Gaussian blur of random width; the image is mirrored at its border.
 *
 * @param radius of the kernel in pixels: it is {@code 2 radius + 1} wide; 1 to 16, less than a side
 * @param least smallest standard deviation in pixels, above 0
 * @param most largest standard deviation in pixels
 * @param probability of a change, 0 to 1
 */
public record Blur(int radius, double least, double most, double probability)
    implements Augmentation {
  /** Checks the ranges. */
  public Blur {
    Draw.range("blur radius", radius, 1, 16);
    Draw.range("smallest deviation", least, 1e-3, 100);
    Draw.range("largest deviation", most, least, 100);
    Draw.probability("blur", probability);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    Expr sigma = Draw.between(key.fold(0), x, least, most);
    Expr blurred = along(along(x, 1, sigma), 2, sigma);
    return Draw.where(Draw.chance(key.fold(1), x, probability), blurred, x);
  }

  private Expr along(Expr x, int axis, Expr sigma) {
    Expr sum = x.zeros();
    Expr weights = sigma.zeros();
    for (int d = -radius; d <= radius; d++) {
      Expr weight = sigma.square().reciprocal().mul(-0.5 * d * d).exp();
      weights = weights.add(weight);
      sum = sum.add(shifted(x, axis, d).mul(Draw.beside(weight, x)));
    }
    return sum.div(Draw.beside(weights, x));
  }

  /** The pixels {@code by} further along, mirrored at the border without repeating it. */
  private static Expr shifted(Expr x, int axis, int by) {
    int size = x.shape().dim(axis);
    double[] from = new double[size];
    for (int i = 0; i < size; i++) {
      int at = Math.abs(i + by);
      from[i] = at < size ? at : 2 * (size - 1) - at;
    }
    return x.gather(axis, Expr.data(Type.i32(size), from));
  }
}
