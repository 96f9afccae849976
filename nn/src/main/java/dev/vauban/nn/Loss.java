package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * A traced loss: weights and a batch to a scalar. Attacks, defences and meta-learners compose these
 * functions; none of them knows the model inside.
 */
@FunctionalInterface
public interface Loss {
  /**
   * The loss.
   *
   * @param weights the parameters
   * @param batch inputs and targets; with a key if the loss draws random numbers
   * @return a scalar
   */
  Expr of(Tree<Expr> weights, Batch<Expr> batch);

  /** The mean cross-entropy of a model's logits against the batch's labels. */
  static Loss crossEntropy(Model model) {
    return (w, b) -> Losses.crossEntropy(model.logits(w, b.x()), b.y()).mean();
  }

  /** The mean squared error of a model's outputs against the batch's values. */
  static Loss mse(Model model) {
    return (w, b) -> Losses.mse(model.logits(w, b.x()), b.y());
  }
}
