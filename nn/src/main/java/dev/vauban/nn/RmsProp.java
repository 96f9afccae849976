package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * RMSProp (Hinton 2012, lecture 6e): {@code v = alpha v + (1 - alpha) g^2; w = w - rate g /
 * (sqrt(v) + eps)}.
 *
 * @param rate the learning rate
 * @param alpha weight of the old mean square, in [0,1)
 * @param eps added to the root; more than 0
 */
public record RmsProp(Schedule rate, double alpha, double eps) implements Optimizer {
  /** Checks the range. */
  public RmsProp {
    Optimizers.inUnit("alpha", alpha);
  }

  @Override
  public Tree<Expr> init(Tree<Expr> weights) {
    return Tree.of("v", weights.map(Expr::zeros));
  }

  @Override
  public Update update(Tree<Expr> weights, Tree<Expr> g, Tree<Expr> state, Expr step) {
    Tree<Expr> v = state.sub("v").zip(g, (a, d) -> a.mul(alpha).add(d.square().mul(1 - alpha)));
    Tree<Expr> direction = g.zip(v, (d, a) -> d.div(a.sqrt().add(eps)));
    return new Update(Optimizers.descend(weights, direction, rate.at(step)), Tree.of("v", v));
  }
}
