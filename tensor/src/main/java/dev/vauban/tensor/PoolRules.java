package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * Rewrites that move work from the images of a maximum pooling to its far smaller result. They hold
 * where offsets are those of an arg-max over a window without padding: then each offset names an
 * element of the image.
 *
 * <ul>
 *   <li>A gather of f(x, y) is f of gathers: what follows a convolution up to the pooling is then
 *       computed for the winners only.
 *   <li>A scatter times z is the scatter of a product with the gathered z, and the sum of a scatter
 *       is the sum of what it scatters: batch norm's gradient needs its sums over the winners only.
 * </ul>
 */
final class PoolRules {
  /** What a gather moves through; a longer chain is gathered from memory. */
  private static final Chain CHAIN = new Chain(fn -> true, 24);

  private PoolRules() {}

  /** True if every offset that {@code at} holds names an element of the image. */
  private static boolean inside(PoolOp.PoolWindow window, Expr at) {
    return at.op() instanceof PoolOp.PoolArgMax max
        && max.window().equals(window)
        && !window.isPadded();
  }

  /** A gather of {@code in}: image, offsets. Null if it stays one. */
  static Expr gather(PoolOp.PoolGather gather, List<Expr> in) {
    Expr x = in.get(0);
    Expr at = in.get(1);
    if (!inside(gather.window(), at)) {
      return null;
    }
    return switch (x.op()) {
      case PoolOp.PoolScatter s
          when s.window().equals(gather.window())
              && x.input(1) == at
              && gather.window().isDisjoint() ->
          x.input(0);
      case LeafOp.Fill f -> Expr.fill(x.type().with(at.shape()), f.value());
      case ShapeOp.Broadcast b when repeatsPositions(b) ->
          x.input(0).broadcast(at.shape(), Axes.array(b.axes()));
      case ElementOp.Pointwise p ->
          CHAIN.isShort(x) && CHAIN.arrays(x).stream().allMatch(PoolRules::gathers)
              ? CHAIN.over(x, array -> gathered(gather, array, at))
              : null;
      default -> null;
    };
  }

  private static Expr gathered(PoolOp.PoolGather gather, Expr x, Expr at) {
    return Expr.of(gather, List.of(x, at));
  }

  /** True if gathering it does not take an array that would otherwise not be stored. */
  private static boolean gathers(Expr x) {
    return !(x.op() instanceof ShapeOp.Broadcast b) || repeatsPositions(b);
  }

  /** The same at every row and column. */
  private static boolean repeatsPositions(ShapeOp.Broadcast b) {
    return !b.axes().contains(1) && !b.axes().contains(2);
  }

  /** A function with scatters among its arguments. Null if it is not the scatter of another. */
  static Expr pointwise(ScalarFn fn, List<Expr> in) {
    Expr scatter = null;
    for (Expr e : in) {
      scatter = scatter == null && isScatter(e) ? e : scatter;
    }
    if (scatter == null || !keepsZeros(fn, in, scatter)) {
      return null;
    }
    PoolOp.PoolScatter op = (PoolOp.PoolScatter) scatter.op();
    PoolOp.PoolGather gather = new PoolOp.PoolGather(op.window());
    Expr at = scatter.input(1);
    List<Expr> winners = new ArrayList<>();
    for (Expr e : in) {
      winners.add(isLike(e, scatter) ? e.input(0) : gathered(gather, e, at));
    }
    return Expr.of(op, List.of(Expr.of(new ElementOp.Pointwise(fn), winners), at));
  }

  private static boolean isScatter(Expr e) {
    return e.op() instanceof PoolOp.PoolScatter s
        && inside(s.window(), e.input(1))
        && s.window().isDisjoint();
  }

  /** Scatters to the same elements. */
  private static boolean isLike(Expr e, Expr scatter) {
    return e.op().equals(scatter.op()) && e.input(1) == scatter.input(1);
  }

  /** True if the result is 0 wherever {@code scatter} adds nothing. */
  private static boolean keepsZeros(ScalarFn fn, List<Expr> in, Expr scatter) {
    return switch (fn) {
      case NEG -> true;
      case MUL -> true;
      case DIV -> isLike(in.getFirst(), scatter);
      case ADD, SUB -> in.stream().allMatch(e -> isLike(e, scatter));
      case SELECT ->
          !isLike(in.getFirst(), scatter)
              && in.stream().skip(1).allMatch(e -> isLike(e, scatter) || isZero(e));
      default -> false;
    };
  }

  private static boolean isZero(Expr e) {
    return e.op() instanceof LeafOp.Fill f && f.value() == 0;
  }

  /** The sum of a scatter. Null if it stays one. */
  static Expr sum(ReduceOp.Reduce r, Expr x) {
    boolean whole = r.axes().contains(1) && r.axes().contains(2);
    return whole && x.op() instanceof PoolOp.PoolScatter s && inside(s.window(), x.input(1))
        ? Expr.of(r, List.of(x.input(0)))
        : null;
  }
}
