package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/** Limits on gradients. */
public final class Clip {
  private Clip() {}

  /**
   * Every element limited to [-max, max].
   *
   * @param max more than 0
   */
  public static Tree<Expr> byValue(Tree<Expr> gradient, double max) {
    positive(max);
    return gradient.map(g -> g.clamp(-max, max));
  }

  /**
   * All leaves scaled by one factor so that their common Euclidean norm is at most {@code max}
   * (Pascanu et al. 2013): the factor is min(1, max / (norm + 1e-6)).
   *
   * @param max more than 0
   */
  public static Tree<Expr> byGlobalNorm(Tree<Expr> gradient, double max) {
    positive(max);
    Expr factor = globalNorm(gradient).add(1e-6).reciprocal().mul(max).min(1);
    return gradient.map(g -> g.mul(factor.cast(g.dtype())));
  }

  /** The Euclidean norm of all leaves together: a scalar of the first leaf's type. */
  public static Expr globalNorm(Tree<Expr> gradient) {
    Expr sum = null;
    for (Expr g : gradient.leaves()) {
      Expr s = g.square().sum();
      sum = sum == null ? s : sum.add(s.cast(sum.dtype()));
    }
    if (sum == null) {
      throw new IllegalArgumentException("global norm: the gradient has no leaves");
    }
    return sum.sqrt();
  }

  private static void positive(double max) {
    if (!(max > 0)) {
      throw new IllegalArgumentException("clipping: the limit is more than 0, not " + max);
    }
  }
}
