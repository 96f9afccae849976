package dev.vauban.meta.tuning;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.function.Function;

/** What a tuner learns of the slope of a loss, and what that costs. */
public sealed interface Gradients {
  /**
   * The gradient, or an estimate of it. A constant: nothing is differentiated through it.
   *
   * @param loss variables to a scalar
   * @param key I32 [2], another one at each step
   */
  Tree<Expr> at(Function<Tree<Expr>, Expr> loss, Tree<Expr> variables, Expr key);

  /** Values of the loss that one estimate takes; 0 if it is not made of values. */
  int values();

  /** The exact gradient, by differentiation. */
  static Gradients exact() {
    return new Exact();
  }

  /** {@link Gradients#exact}. */
  record Exact() implements Gradients {
    @Override
    public Tree<Expr> at(Function<Tree<Expr>, Expr> loss, Tree<Expr> variables, Expr key) {
      return Grad.grad(loss, variables).map(Expr::stopGradient);
    }

    @Override
    public int values() {
      return 0;
    }

    @Override
    public String toString() {
      return "exact gradients";
    }
  }

  /**
   * The random gradient estimate from values of the loss alone, by forward differences along normal
   * directions u_i (Nesterov and Spokoiny 2017; Ruan et al. 2020, eq. 2):
   *
   * <pre>
   *   g = 1/q sum over i of (f(v + mu u_i) - f(v)) / mu  u_i
   * </pre>
   *
   * <p>In F32 the difference of two values of the loss has an error of about 1e-7 of them, so mu is
   * not to be much below 1e-3.
   *
   * @param directions the paper's q, at least 1
   * @param smoothing the paper's mu, in units of the variables; more than 0
   */
  record Estimated(int directions, double smoothing) implements Gradients {
    /** Checks the ranges. */
    public Estimated {
      if (directions < 1 || !(smoothing > 0)) {
        throw new IllegalArgumentException(
            "an estimated gradient needs at least 1 direction and a smoothing above 0, not %d and %s"
                .formatted(directions, smoothing));
      }
    }

    @Override
    public Tree<Expr> at(Function<Tree<Expr>, Expr> loss, Tree<Expr> variables, Expr key) {
      Expr here = loss.apply(variables);
      Expr numbers = Expr.iota(new Type(DType.I32, Shape.of(directions)), 0);
      Tree<Expr> terms =
          Vmap.vmap(
              i -> {
                Tree<Expr> u = direction(variables, key.fold(i.value()));
                Expr there = loss.apply(variables.zip(u, (v, d) -> v.add(d.mul(smoothing))));
                Expr slope = there.sub(here).div(smoothing);
                return u.map(d -> d.mul(slope));
              },
              Tree.leaf(numbers));
      return terms.map(t -> t.mean(0).stopGradient());
    }

    private static Tree<Expr> direction(Tree<Expr> variables, Expr key) {
      int[] leaf = {0};
      return variables.map(v -> key.fold(leaf[0]++).normal(v.shape()).cast(v.dtype()));
    }

    @Override
    public int values() {
      return directions + 1;
    }

    @Override
    public String toString() {
      return "estimates from %d directions, smoothing %s".formatted(directions, smoothing);
    }
  }
}
