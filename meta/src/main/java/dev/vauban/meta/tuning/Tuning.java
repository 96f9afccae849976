package dev.vauban.meta.tuning;

import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Tuner;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * One problem being tuned, traced: the recursion
 *
 * <pre>
 *   v' = project(v - rule(gradient of f(v; tuned on), state))
 * </pre>
 *
 * of Zhao et al. 2020 (eq. 4), which training unrolls and evaluation repeats.
 *
 * @param problems the family
 * @param tuner how
 * @param gradients what the tuner gets to see
 */
record Tuning(Problems problems, Tuner tuner, Gradients gradients) {
  /**
   * Where a problem stands.
   *
   * @param variables what is tuned
   * @param state of the tuner's rule
   */
  record At(Tree<Expr> variables, Tree<Expr> state) {
    Tree<Expr> tree() {
      return Tree.<Expr>empty().with("variables", variables).with("state", state);
    }

    static At of(Tree<Expr> tree) {
      return new At(tree.sub("variables"), tree.sub("state"));
    }
  }

  /** Before the first step. */
  At start(Tree<Expr> weights) {
    Tree<Expr> variables = problems.project(tuner.start(weights, problems.variables()));
    return new At(variables, tuner.rule(weights).init(variables));
  }

  /**
   * One step.
   *
   * @param number of the step, I32, from 0
   * @param key of the problem; that of the step is folded from it
   */
  At step(Tree<Expr> weights, At at, Expr number, Tree<Expr> shared, Tree<Expr> own, Expr key) {
    Tree<Expr> g =
        gradients.at(
            v -> problems.loss(v, Problems.Part.TUNED_ON, shared, own),
            at.variables(),
            key.fold(number));
    Optimizer.Update u = tuner.rule(weights).update(at.variables(), g, at.state(), number);
    return new At(problems.project(u.weights()), u.state());
  }
}
