package dev.vauban.nn;

import dev.vauban.tensor.Expr;

/** Softmax and its logarithm; the maximum is subtracted first, so no logit is too large. */
public final class Softmax {
  private Softmax() {}

  /** exp(x) / sum exp(x) along {@code axis}. */
  public static Expr of(Expr x, int axis) {
    Expr e = shifted(x, axis).exp();
    return e.div(e.sum(axis).keep(x.shape(), axis));
  }

  /** log(exp(x) / sum exp(x)) along {@code axis}. */
  public static Expr log(Expr x, int axis) {
    Expr s = shifted(x, axis);
    return s.sub(s.exp().sum(axis).log().keep(x.shape(), axis));
  }

  /** log(sum exp(x)) along {@code axis}, which disappears. */
  public static Expr logSumExp(Expr x, int axis) {
    Expr max = x.maxOver(axis).stopGradient();
    return x.sub(max.keep(x.shape(), axis)).exp().sum(axis).log().add(max);
  }

  /** The shift cancels in the value, so its gradient is stopped: it would cancel too. */
  private static Expr shifted(Expr x, int axis) {
    return x.sub(x.maxOver(axis).stopGradient().keep(x.shape(), axis));
  }
}
