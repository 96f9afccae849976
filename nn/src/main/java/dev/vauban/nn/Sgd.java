package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * Gradient descent with optional momentum, without dampening: {@code b = momentum b + g; w = w -
 * rate d} with d = b, or d = g + momentum b for Nesterov's form.
 *
 * @param rate the learning rate
 * @param momentum in [0,1); 0 keeps no state
 * @param form which direction is taken
 * @param decay added to the gradient as {@code decay w}; at least 0
 */
public record Sgd(Schedule rate, double momentum, Form form, double decay) implements Optimizer {
  /** Which direction is taken. */
  public enum Form {
    /** The velocity. */
    HEAVY_BALL,
    /** The gradient plus momentum times the velocity (Nesterov). */
    NESTEROV
  }

  /** Checks the ranges. */
  public Sgd {
    Optimizers.inUnit("momentum", momentum);
    Optimizers.notNegative("weight decay", decay);
  }

  @Override
  public Tree<Expr> init(Tree<Expr> weights) {
    return momentum == 0 ? Tree.empty() : Tree.of("velocity", weights.map(Expr::zeros));
  }

  @Override
  public Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step) {
    Tree<Expr> g = Optimizers.decayed(gradient, weights, decay);
    Expr lr = rate.at(step);
    if (momentum == 0) {
      return new Update(Optimizers.descend(weights, g, lr), state);
    }
    Tree<Expr> v = state.sub("velocity").zip(g, (b, d) -> b.mul(momentum).add(d));
    Tree<Expr> direction =
        switch (form) {
          case HEAVY_BALL -> v;
          case NESTEROV -> g.zip(v, (d, b) -> d.add(b.mul(momentum)));
        };
    return new Update(Optimizers.descend(weights, direction, lr), Tree.of("velocity", v));
  }
}
