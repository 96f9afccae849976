package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Several optimisers on the same weights, one after the other. Its gradient is a tree of gradients,
 * one for each optimiser under its name, all taken at the weights before the first of them; its
 * state is a tree of their states.
 *
 * @param each the optimisers by name, in the order in which they step
 */
public record InTurn(Map<String, Optimizer> each) implements Optimizer {
  /** Copies the map. */
  public InTurn {
    each = Collections.unmodifiableMap(new LinkedHashMap<>(each));
  }

  @Override
  public Tree<Expr> init(Tree<Expr> weights) {
    Tree<Expr> state = Tree.empty();
    for (var one : each.entrySet()) {
      Tree<Expr> own = one.getValue().init(weights);
      state = own.size() > 0 ? state.with(one.getKey(), own) : state;
    }
    return state;
  }

  @Override
  public Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step) {
    Tree<Expr> now = weights;
    Tree<Expr> next = Tree.empty();
    for (var one : each.entrySet()) {
      String name = one.getKey();
      Tree<Expr> own = state.has(name) ? state.sub(name) : Tree.empty();
      Update u = one.getValue().update(now, gradient.sub(name), own, step);
      now = u.weights();
      next = u.state().size() > 0 ? next.with(name, u.state()) : next;
    }
    return new Update(now, next);
  }
}
