package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/** A traced network; {@code model::logits} of a {@link dev.vauban.nn.Model} is one. */
@FunctionalInterface
public interface Classifier {
  /**
   * The logits.
   *
   * @param weights the parameters
   * @param x images [N,...]
   * @return [N,C]
   */
  Expr logits(Tree<Expr> weights, Expr x);
}
