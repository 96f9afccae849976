package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Values of each image of a batch [N,...], kept as [N,1,...] so that they broadcast against it. */
final class PerImage {
  private PerImage() {}

  /** The Euclidean length of each image. */
  static Expr length(Expr x) {
    return sum(x.square()).sqrt();
  }

  /** The mean absolute value of each image. */
  static Expr meanAbs(Expr x) {
    return sum(x.abs()).mul((double) x.shape().dim(0) / x.shape().size());
  }

  /** The largest absolute value of each image. */
  static Expr maxAbs(Expr x) {
    int[] rest = rest(x);
    return rest.length == 0 ? x.abs() : x.abs().maxOver(rest).reshape(ones(x));
  }

  private static Expr sum(Expr x) {
    int[] rest = rest(x);
    return rest.length == 0 ? x : x.sum(rest).reshape(ones(x));
  }

  private static int[] rest(Expr x) {
    return IntStream.range(1, x.shape().rank()).toArray();
  }

  /** The first element of each image. */
  static Expr first(Expr x) {
    Expr first = x;
    for (int axis = 1; axis < x.shape().rank(); axis++) {
      first = first.slice(axis, 0, 1);
    }
    return first;
  }

  /** [N] as [N,1,...] of the rank of {@code x}, or a scalar as it is. */
  static Expr against(Expr each, Expr x) {
    return each.shape().rank() == 0 ? each : each.reshape(ones(x));
  }

  private static Shape ones(Expr x) {
    int[] dims = x.shape().dims();
    Arrays.fill(dims, 1, dims.length, 1);
    return Shape.of(dims);
  }
}
