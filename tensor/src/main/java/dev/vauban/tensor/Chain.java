package dev.vauban.tensor;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Pointwise functions of functions, down to the arrays they read: how a rewrite computes the same
 * on part of those arrays, or in another shape.
 */
public final class Chain {
  private final Predicate<ScalarFn> functions;
  private final int longest;

  /**
   * A kind of chain.
   *
   * @param functions which functions belong to it; the results of others count as arrays
   * @param longest most functions
   */
  public Chain(Predicate<ScalarFn> functions, int longest) {
    this.functions = functions;
    this.longest = longest;
  }

  private boolean isFunction(Expr x) {
    return x.op() instanceof ElementOp.Pointwise p && functions.test(p.fn());
  }

  /** True if {@code x} is a function of few enough functions, or an array. */
  public boolean isShort(Expr x) {
    return isShort(x, new HashSet<>());
  }

  private boolean isShort(Expr x, Set<Expr> seen) {
    if (!isFunction(x)) {
      return true;
    }
    seen.add(x);
    return seen.size() <= longest
        && x.inputs().stream().allMatch(i -> seen.contains(i) || isShort(i, seen));
  }

  /** The arrays that {@code x} is a function of; itself if it is none. */
  public Set<Expr> arrays(Expr x) {
    Set<Expr> arrays = new HashSet<>();
    arrays(x, new HashSet<>(), arrays);
    return arrays;
  }

  private void arrays(Expr x, Set<Expr> seen, Set<Expr> into) {
    if (!isFunction(x)) {
      into.add(x);
    } else if (seen.add(x)) {
      x.inputs().forEach(i -> arrays(i, seen, into));
    }
  }

  /**
   * The functions of {@code x} on what {@code view} makes of each array, all of one shape; if the
   * chain is too long, what it makes of {@code x} itself.
   */
  public Expr over(Expr x, UnaryOperator<Expr> view) {
    return isShort(x) ? over(x, view, new HashMap<>()) : view.apply(x);
  }

  private Expr over(Expr x, UnaryOperator<Expr> view, Map<Expr, Expr> done) {
    Expr known = done.get(x);
    if (known != null) {
      return known;
    }
    Expr y =
        isFunction(x)
            ? Expr.of(x.op(), x.inputs().stream().map(i -> over(i, view, done)).toList())
            : view.apply(x);
    done.put(x, y);
    return y;
  }
}
