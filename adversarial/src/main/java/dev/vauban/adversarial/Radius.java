package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;

/** Radii and step sizes as scalar expressions: checked, converted, printed. */
final class Radius {
  private Radius() {}

  static Expr constant(double value, double most) {
    if (!(value >= 0 && value <= most) || Double.isInfinite(value)) {
      String hint = most == 1 ? "; pixels lie in [0,1], so write 8/255, not 8" : "";
      String range = most == 1 ? "from 0 to 1" : "a finite number of at least 0";
      throw new IllegalArgumentException(
          "the attack's eps is " + text(value) + ", but it must be " + range + hint);
    }
    return Expr.scalar(value);
  }

  /** The scalar in the element type of {@code x}. */
  static Expr like(Expr scalar, Expr x) {
    return scalar.dtype() == x.dtype() ? scalar : scalar.cast(x.dtype());
  }

  /**
   * For people: {@code 8/255} where it is a multiple of 1/255, the name of an input, or a number.
   */
  static String text(Expr scalar) {
    return switch (scalar.op()) {
      case LeafOp.Fill f -> text(f.value());
      case LeafOp.Parameter p -> p.name();
      default -> "computed";
    };
  }

  static String text(double value) {
    double levels = value * 255;
    if (levels >= 0.5 && levels <= 255.5 && Math.abs(levels - Math.rint(levels)) < 1e-6) {
      return Math.round(levels) + "/255";
    }
    return Double.toString((double) Math.round(value * 1e6) / 1e6);
  }
}
