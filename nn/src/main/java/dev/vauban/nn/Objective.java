package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * What a {@link Trainer} minimises: weights, a batch of any structure and a random key to a scalar
 * and further figures.
 */
@FunctionalInterface
public interface Objective {
  /**
   * A value to minimise, and figures to report.
   *
   * @param loss a scalar
   * @param metrics arrays that are computed with it, for example an accuracy; may be empty
   */
  record Value(Expr loss, Tree<Expr> metrics) {
    /** A loss without further figures. */
    public static Value of(Expr loss) {
      return new Value(loss, Tree.empty());
    }
  }

  /**
   * The value.
   *
   * @param weights the weights
   * @param batch what the trainer was given for this step
   * @param key a key I32 [2], another one at every step
   */
  Value of(Tree<Expr> weights, Tree<Expr> batch, Expr key);

  /** The objective of a loss whose batch tree has the leaves {@code x} and {@code y}. */
  static Objective of(Loss loss) {
    return (w, batch, key) -> Value.of(loss.of(w, Batch.of(batch).withKey(key)));
  }
}
