package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * AdaGrad (Duchi et al. 2011): {@code s = s + g^2; w = w - rate g / (sqrt(s) + eps)}.
 *
 * @param rate the learning rate
 * @param eps added to the root; more than 0
 */
public record Adagrad(Schedule rate, double eps) implements Optimizer {
  @Override
  public Tree<Expr> init(Tree<Expr> weights) {
    return Tree.of("sum", weights.map(Expr::zeros));
  }

  @Override
  public Update update(Tree<Expr> weights, Tree<Expr> g, Tree<Expr> state, Expr step) {
    Tree<Expr> s = state.sub("sum").zip(g, (a, d) -> a.add(d.square()));
    Tree<Expr> direction = g.zip(s, (d, a) -> d.div(a.sqrt().add(eps)));
    return new Update(Optimizers.descend(weights, direction, rate.at(step)), Tree.of("sum", s));
  }
}
