package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Gradients of traced functions. A gradient is an ordinary expression, so it can be differentiated
 * again: second-order MAML is {@code grad} of a function that calls {@code grad}.
 */
public final class Grad {
  private static final AtomicLong PLACEHOLDER = new AtomicLong(-1);

  private Grad() {}

  /**
   * A value and its gradient.
   *
   * @param value the function's value, a scalar
   * @param gradient its derivative for each leaf, of the leaf's type
   */
  public record Result(Expr value, Tree<Expr> gradient) {}

  /**
   * What a function gives whose other results are wanted too.
   *
   * @param value the scalar to differentiate
   * @param extras anything else, not differentiated; may be empty
   */
  public record Outcome(Expr value, Tree<Expr> extras) {}

  /**
   * A value, its gradient and the other results of the same trace.
   *
   * @param value the function's value, a scalar
   * @param extras the function's other results
   * @param gradient its derivative for each leaf, of the leaf's type
   */
  public record Extended(Expr value, Tree<Expr> extras, Tree<Expr> gradient) {}

  /**
   * The gradient of {@code f} at {@code at}.
   *
   * @param f a function to a floating-point scalar
   * @param at the point; integer leaves get a zero gradient
   * @throws ShapeException if {@code f} does not give a scalar
   */
  public static Tree<Expr> grad(Function<Tree<Expr>, Expr> f, Tree<Expr> at) {
    return valueAndGrad(f, at).gradient();
  }

  /** The gradient of {@code f} of one array at {@code at}. */
  public static Expr grad(java.util.function.UnaryOperator<Expr> f, Expr at) {
    return grad(t -> f.apply(t.value()), Tree.leaf(at)).value();
  }

  /** The value and the gradient of {@code f} at {@code at}; see {@link #grad}. */
  public static Result valueAndGrad(Function<Tree<Expr>, Expr> f, Tree<Expr> at) {
    Extended e = extended(w -> new Outcome(f.apply(w), Tree.empty()), at);
    return new Result(e.value(), e.gradient());
  }

  /** The value, other results and the gradient of {@code f} at {@code at}; see {@link #grad}. */
  public static Extended extended(Function<Tree<Expr>, Outcome> f, Tree<Expr> at) {
    // Differentiate at fresh placeholders, so that uses of `at` outside f's argument stay constant.
    Map<Expr, Expr> actual = new IdentityHashMap<>();
    List<Expr> placeholders = new ArrayList<>();
    Tree<Expr> fresh =
        at.mapPaths((path, e) -> {
          Expr p = Expr.parameter(PLACEHOLDER.getAndDecrement(), path, e.type());
          actual.put(p, e);
          placeholders.add(p);
          return p;
        });
    Outcome outcome = f.apply(fresh);
    Expr y = outcome.value();
    if (y.shape().rank() != 0 || !y.dtype().isFloat()) {
      throw Errors.shapes("grad", "the function must give a floating-point scalar", List.of(y));
    }
    Expr[] points = placeholders.toArray(Expr[]::new);
    Expr[] g = Reverse.cotangents(new Expr[] {y}, new Expr[] {Expr.fill(y.type(), 1)}, points);
    List<Expr> roots = new ArrayList<>();
    roots.add(y);
    for (int i = 0; i < g.length; i++) {
      roots.add(g[i] == null ? Expr.fill(points[i].type(), 0) : g[i]);
    }
    outcome.extras().forEach(roots::add);
    List<Expr> substituted = Substitution.apply(roots, actual);
    int[] next = {1};
    Tree<Expr> gradient = at.map(e -> substituted.get(next[0]++));
    Tree<Expr> extras = outcome.extras().map(e -> substituted.get(next[0]++));
    return new Extended(substituted.getFirst(), extras, gradient);
  }
}
