package dev.vauban.adversarial;

import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.ShapeException;

/**
 * The difference of logits ratio (Croce and Hein 2020, <a
 * href="https://arxiv.org/abs/2003.01690">arXiv 2003.01690</a>, eq. 6 and 7): a margin over the
 * spread of the largest logits. Adding to all logits or scaling them changes nothing, so that it
 * has a gradient where the cross-entropy's is lost to rounding. Above 0 exactly where the image is
 * misclassified, ties aside.
 */
public final class Dlr {
  private static final double GUARD = 1e-12; // as in AutoAttack's code

  private Dlr() {}

  /**
   * The untargeted loss: (max over i != y of z_i - z_y) / (z_(1) - z_(3)), the divisor of sorted
   * logits.
   *
   * @param logits [N,C] with at least 3 classes
   * @param labels I32 [N]
   * @return [N]
   */
  public static Expr of(Expr logits, Expr labels) {
    Expr order = largest(logits, 3, "the DLR loss");
    Expr top = logits.takeAlong(-1, order);
    Expr rightFirst = column(order, 0).eq(labels).cast(logits.dtype());
    Expr other = Expr.select(rightFirst, column(top, 1), column(top, 0));
    Expr spread = column(top, 0).sub(column(top, 2)).add(GUARD);
    return other.sub(Losses.pick(logits, labels)).div(spread);
  }

  /**
   * The targeted loss: (z_t - z_y) / (z_(1) - (z_(3) + z_(4)) / 2), high where the image is taken
   * for its target.
   *
   * @param logits [N,C] with at least 4 classes
   * @param labels I32 [N]
   * @param targets I32 [N], for each image a class other than its label
   * @return [N]
   */
  public static Expr targeted(Expr logits, Expr labels, Expr targets) {
    Expr top = logits.takeAlong(-1, largest(logits, 4, "the targeted DLR loss"));
    Expr tail = column(top, 2).add(column(top, 3)).mul(0.5);
    Expr margin = Losses.pick(logits, targets).sub(Losses.pick(logits, labels));
    return margin.div(column(top, 0).sub(tail).add(GUARD));
  }

  private static Expr largest(Expr logits, int k, String who) {
    if (logits.shape().rank() != 2 || logits.shape().dim(1) < k) {
      throw new ShapeException(
          who + " needs logits [N,C] of at least " + k + " classes, not " + logits.shape());
    }
    return logits.argSort(-1, ReduceOp.Order.DESCENDING, k);
  }

  private static Expr column(Expr rows, int i) {
    return rows.slice(1, i, i + 1).reshape(rows.shape().dim(0));
  }
}
