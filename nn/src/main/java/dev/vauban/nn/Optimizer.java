package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.function.UnaryOperator;

/**
 * A pair of pure functions on trees: the initial state, and one update. Both are traced, so an
 * update is part of the compiled step, may serve as the inner loop of a meta-learner, and can be
 * differentiated.
 */
public interface Optimizer {
  /**
   * New weights and new state.
   *
   * @param weights the weights after the step
   * @param state of the structure that {@link #init} gave
   */
  record Update(Tree<Expr> weights, Tree<Expr> state) {}

  /** The state before the first step; an empty tree if there is none. */
  Tree<Expr> init(Tree<Expr> weights);

  /**
   * One step.
   *
   * @param weights the weights
   * @param gradient of the same structure
   * @param state the state
   * @param step the step number, an I32 scalar from 0
   */
  Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step);

  /** This optimiser on gradients that {@code change} has changed first, for example clipped. */
  default Optimizer after(UnaryOperator<Tree<Expr>> change) {
    return new Optimizers.Changed(change, this);
  }

  /** This optimiser with each gradient element limited to ±{@code max}. */
  default Optimizer clippedByValue(double max) {
    return after(g -> Clip.byValue(g, max));
  }

  /** This optimiser with the gradient scaled down to a global norm of {@code max} at most. */
  default Optimizer clippedByNorm(double max) {
    return after(g -> Clip.byGlobalNorm(g, max));
  }
}
