package dev.vauban.adversarial;

import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;

/** What an attack on a classifier raises, for each image. */
public enum AttackLoss {
  /** The cross-entropy of the labels: {@link Losses#crossEntropy(Expr, Expr)}. */
  CROSS_ENTROPY {
    @Override
    public Expr of(Expr logits, Expr labels) {
      return Losses.crossEntropy(logits, labels);
    }
  },
  /** The difference of logits ratio: {@link Dlr#of}; at least 3 classes. */
  DLR {
    @Override
    public Expr of(Expr logits, Expr labels) {
      return Dlr.of(logits, labels);
    }
  };

  /**
   * The loss.
   *
   * @param logits [N,C]
   * @param labels I32 [N]
   * @return [N]
   */
  public abstract Expr of(Expr logits, Expr labels);
}
