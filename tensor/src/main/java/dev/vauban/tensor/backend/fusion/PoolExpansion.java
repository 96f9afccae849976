package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.Chain;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.Passes;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Maximum pooling with small windows as pointwise code, so that it joins the nests around it: the
 * normalisation before a pooling is then computed in the registers of the nest that compares, and
 * the scatter of a gradient in those of the nest that subtracts its means. Neither the normalised
 * images nor the scattered gradient ever lie in memory.
 *
 * <p>With x[N,H,W,C] and a window of k taps:
 *
 * <ul>
 *   <li>The taps are k strided slices of x, [N,P,Q,C] each; a nest reads them as views. Offset and
 *       maximum are selections among them.
 *   <li>A scatter is a selection in the space [N,P,h,Q,w,C], where row and column within a window
 *       are axes of their own: x with another shape, if windows cover it exactly.
 * </ul>
 *
 * <p>Other windows (padded, more than four taps), images that do not suit the backend and other
 * types stay operations with kernels of their own.
 */
public final class PoolExpansion {
  private static final int MOST_TAPS = 4;

  /** What a slice or a reshape moves through. */
  private static final Chain CHAIN = new Chain(Fusion::isCheap, 12);

  /** Offsets of an expanded arg-max before they are stored as U8, with what they were found in. */
  private record Found(Expr offsets, Set<Expr> images) {}

  private final Predicate<Expr> suits;
  private final Map<Expr, Found> found = new HashMap<>(); // by the U8 offsets

  private PoolExpansion(Predicate<Expr> suits) {
    this.suits = suits;
  }

  /**
   * The graph with its poolings expanded.
   *
   * @param suits whether nests handle these images well (channels that fill vectors)
   */
  public static Graph of(Graph g, Predicate<Expr> suits) {
    return new PoolExpansion(suits).expand(g);
  }

  private Graph expand(Graph g) {
    return Passes.rewriteAll(
        g,
        (e, in) ->
            switch (e.op()) {
              case PoolOp.PoolArgMax p when isExpanded(p.window(), e.input(0)) ->
                  argMax(p.window(), in.getFirst());
              case PoolOp.PoolGather p when isExpanded(p.window(), e.input(0), e.input(1)) ->
                  gather(p.window(), in.get(0), in.get(1));
              case PoolOp.PoolScatter p
                  when isExpanded(p.window(), e) && p.window().tiles(e.shape()) ->
                  scatter(p, in.get(0), in.get(1));
              case ElementOp op -> joined(op, in);
              case ReduceOp.Reduce r -> reduce(r, in.getFirst());
              default -> Expr.of(e.op(), in);
            });
  }

  private boolean isExpanded(PoolWindow w, Expr x) {
    return x.dtype() == DType.F32
        && w.h() * w.w() <= MOST_TAPS
        && x.shape().size() > 0
        && suits.test(x)
        && !w.isPadded();
  }

  private boolean isExpanded(PoolWindow w, Expr x, Expr at) {
    return isExpanded(w, x)
        && at.op() instanceof PoolOp.PoolArgMax max
        && max.window().equals(w)
        && isExpanded(w, at.input(0));
  }

  // Taps as views.

  private Expr argMax(PoolWindow w, Expr x) {
    List<Expr> taps = taps(w, x);
    Expr best = taps.getFirst();
    Expr at = best.zeros();
    for (int k = 1; k < taps.size(); k++) {
      // A tap that is NaN is not "at most"; a best that is NaN itself stays.
      Expr tap = taps.get(k);
      Expr stays = tap.le(best);
      Expr kept = best.ne(best);
      at = Expr.select(stays, at, Expr.select(kept, at, at.zeros().add(k)));
      best = Expr.select(stays, best, Expr.select(kept, best, tap));
    }
    Expr offsets = at.cast(DType.U8);
    found.put(offsets, new Found(at, CHAIN.arrays(x)));
    return offsets;
  }

  private Expr gather(PoolWindow w, Expr x, Expr at) {
    Found f = found.get(at);
    Expr offsets = f != null && f.images().contains(x) ? f.offsets() : at.cast(DType.F32);
    List<Expr> taps = taps(w, x);
    Expr y = taps.getFirst();
    for (int k = 1; k < taps.size(); k++) {
      y = Expr.select(offsets.eq(k), taps.get(k), y);
    }
    return y;
  }

  private List<Expr> taps(PoolWindow w, Expr x) {
    Shape s = x.shape();
    Window move = w.move();
    int p = move.outH(s.dim(1), w.h());
    int q = move.outW(s.dim(2), w.w());
    int[] strides = {1, move.strideH(), move.strideW(), 1};
    List<Expr> taps = new ArrayList<>();
    for (int i = 0; i < w.h(); i++) {
      for (int j = 0; j < w.w(); j++) {
        int[] starts = {0, i * move.dilationH(), j * move.dilationW(), 0};
        int[] stops = {
          s.dim(0),
          starts[1] + (p - 1) * strides[1] + 1,
          starts[2] + (q - 1) * strides[2] + 1,
          s.dim(3)
        };
        taps.add(CHAIN.over(x, array -> array.slice(starts, stops, strides)));
      }
    }
    return taps;
  }

  // Windows as axes.

  private static Expr scatter(PoolOp.PoolScatter op, Expr g, Expr at) {
    PoolWindow w = op.window();
    Shape pooled = g.shape();
    Shape split =
        Shape.of(pooled.dim(0), pooled.dim(1), w.h(), pooled.dim(2), w.w(), pooled.dim(3));
    Expr row = Expr.iota(g.type().with(split), 2);
    Expr column = Expr.iota(g.type().with(split), 4);
    Expr here = at.broadcast(split, 0, 1, 3, 5).cast(DType.F32).eq(row.mul(w.w()).add(column));
    Expr scattered = Expr.select(here, g.broadcast(split, 0, 1, 3, 5), row.zeros());
    return scattered.reshape(op.input());
  }

  /** Where a node is a scatter in another shape: that shape, else null. */
  private static Shape split(Expr e) {
    boolean is =
        e.op() instanceof ShapeOp.Reshape
            && e.shape().rank() == 4
            && e.input(0).shape().rank() == 6
            && e.input(0).op() instanceof ElementOp;
    return is ? e.input(0).shape() : null;
  }

  /** A function, in the space of its scattered argument if there is one. */
  private static Expr joined(ElementOp op, List<Expr> in) {
    Shape split = null;
    for (Expr e : in) {
      split = split == null ? split(e) : split;
    }
    if (split == null) {
      return Expr.of(op, in);
    }
    Shape space = split;
    Shape target = in.getFirst().shape();
    List<Expr> inner = in.stream().map(e -> CHAIN.over(e, a -> reshaped(a, space))).toList();
    return Expr.of(op, inner).reshape(target);
  }

  /** A sum over whole images of what is computed with windows as axes. */
  private static Expr reduce(ReduceOp.Reduce r, Expr x) {
    Shape split = split(x);
    if (split == null || !r.axes().contains(1) || !r.axes().contains(2)) {
      return Expr.of(r, List.of(x));
    }
    List<Integer> axes = new ArrayList<>();
    for (int a : r.axes()) {
      axes.addAll(List.of(List.of(0), List.of(1, 2), List.of(3, 4), List.of(5)).get(a));
    }
    return Expr.of(new ReduceOp.Reduce(r.kind(), List.copyOf(axes)), List.of(x.input(0)));
  }

  private static Expr reshaped(Expr array, Shape space) {
    return array.op() instanceof ShapeOp.Broadcast b && b.axes().equals(List.of(3))
        ? array.input(0).broadcast(space, 5)
        : array.reshape(space);
  }
}
