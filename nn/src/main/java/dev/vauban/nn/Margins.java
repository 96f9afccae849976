package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeException;

/**
 * Differences of logits that are positive when an example is misclassified: the objectives of
 * attacks that must not saturate. Each takes logits [N,C] and labels I32 [N] and gives [N].
 */
public final class Margins {
  private static final double EPS = 1e-12;

  private Margins() {}

  /** max over k ≠ y of z_k, minus z_y (Carlini and Wagner 2017, f_6 without its bound). */
  public static Expr margin(Expr logits, Expr labels) {
    Expr mask = labels.oneHot(logits.shape().dim(-1)).cast(logits.dtype());
    Expr others = Expr.select(mask, Expr.fill(logits.type(), Double.NEGATIVE_INFINITY), logits);
    return others.maxOver(-1).sub(Losses.pick(logits, labels));
  }

  /**
   * Difference of logits ratio, (z_other - z_y) / (z_1st - z_3rd): the same for scaled or shifted
   * logits (Croce and Hein 2020, eq. 6). Needs at least 3 classes.
   */
  public static Expr dlr(Expr logits, Expr labels) {
    need(logits, 3, "dlr");
    Expr top = logits.topK(3);
    Expr scale = rank(top, 0).sub(rank(top, 2)).add(EPS);
    return margin(logits, labels).div(scale);
  }

  /**
   * The targeted form, (z_t - z_y) / (z_1st - (z_3rd + z_4th) / 2) (Croce and Hein 2020, eq. 7).
   * Needs at least 4 classes.
   *
   * @param target I32 [N], the classes aimed at
   */
  public static Expr dlrTargeted(Expr logits, Expr labels, Expr target) {
    need(logits, 4, "targeted dlr");
    Expr top = logits.topK(4);
    Expr scale = rank(top, 0).sub(rank(top, 2).add(rank(top, 3)).mul(0.5)).add(EPS);
    return Losses.pick(logits, target).sub(Losses.pick(logits, labels)).div(scale);
  }

  private static Expr rank(Expr top, int k) {
    return top.slice(-1, k, k + 1).reshape(top.shape().without(-1));
  }

  private static void need(Expr logits, int classes, String what) {
    if (logits.shape().dim(-1) < classes) {
      throw new ShapeException(
          what + ": needs at least " + classes + " classes, not " + logits.shape().dim(-1));
    }
  }
}
