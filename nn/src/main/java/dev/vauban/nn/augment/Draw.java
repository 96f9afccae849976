package dev.vauban.nn.augment;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;

/** Random numbers, one for each image, and what is done with them. */
final class Draw {
  private Draw() {}

  /** Uniform in [low, high), F32 [N]. */
  static Expr between(Expr key, Expr x, double low, double high) {
    return key.uniform(Shape.of(x.shape().dim(0))).mul(high - low).add(low);
  }

  /** 1 with this probability, else 0; F32 [N]. */
  static Expr chance(Expr key, Expr x, double probability) {
    return key.uniform(Shape.of(x.shape().dim(0))).lt(probability).cast(DType.F32);
  }

  /** Whole numbers low, ..., high, all equally likely; I32 [N]. */
  static Expr whole(Expr key, Expr x, int low, int high) {
    return between(key, x, 0, high - low + 1.0).floor().cast(DType.I32).add(low);
  }

  /** [N] as [N,1,1,1] in the images' element type, to stand beside [N,H,W,C]. */
  static Expr beside(Expr each, Expr x) {
    return each.reshape(each.shape().dim(0), 1, 1, 1).cast(x.dtype());
  }

  /** {@code changed} where the mask [N] is 1, else {@code x}. */
  static Expr where(Expr mask, Expr changed, Expr x) {
    return Expr.select(beside(mask, x), changed, x);
  }

  static void probability(String what, double p) {
    range(what + " probability", p, 0, 1);
  }

  static void range(String what, double value, double least, double most) {
    if (!(value >= least && value <= most)) {
      throw new IllegalArgumentException(
          what + " must be from " + least + " to " + most + ", not " + value);
    }
  }
}
