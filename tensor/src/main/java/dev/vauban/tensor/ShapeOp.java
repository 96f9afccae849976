package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Operations that move elements without computing. */
public sealed interface ShapeOp extends Op {

  /** The same elements in row-major order with another shape of the same size. */
  record Reshape(Shape shape) implements ShapeOp {
    @Override
    public List<Type> types(List<Expr> in) {
      if (in.getFirst().shape().size() != shape.size()) {
        throw Errors.shapes(label(), "cannot become " + shape + ": sizes differ", in);
      }
      return List.of(in.getFirst().type().with(shape));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {ct[0].reshape(node.input(0).shape())};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return in.getFirst().reshape(shape.prepend(n));
    }
  }

  /** Result dimension i is input dimension {@code perm[i]}. */
  record Transpose(List<Integer> perm) implements ShapeOp {
    /** Copies the list. */
    public Transpose {
      perm = List.copyOf(perm);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      List<Integer> sorted = new ArrayList<>(perm);
      Collections.sort(sorted);
      if (!sorted.equals(Axes.range(0, s.rank()))) {
        throw Errors.shapes(label(), perm + " is no permutation of the axes", in);
      }
      return List.of(in.getFirst().type().with(Shape.of(perm.stream().mapToInt(s::dim).toArray())));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {ct[0].transpose(Axes.inverse(perm))};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      int[] p = new int[perm.size() + 1];
      for (int i = 0; i < perm.size(); i++) {
        p[i + 1] = perm.get(i) + 1;
      }
      return in.getFirst().transpose(p);
    }
  }

  /**
   * Repetition: input dimension i becomes result dimension {@code axes[i]} (ascending, same size);
   * the other result dimensions repeat.
   */
  record Broadcast(Shape shape, List<Integer> axes) implements ShapeOp {
    /** Checks the axes. */
    public Broadcast {
      axes = Axes.rising("broadcast", axes);
      if (!axes.isEmpty()) {
        shape.axis(axes.getLast());
      }
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      boolean fits = axes.size() == s.rank();
      for (int i = 0; fits && i < axes.size(); i++) {
        fits = shape.dim(axes.get(i)) == s.dim(i);
      }
      if (!fits) {
        throw Errors.shapes(label(), "cannot repeat to " + shape + " along axes " + axes, in);
      }
      return List.of(in.getFirst().type().with(shape));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {ct[0].sum(Axes.array(Axes.others(axes, shape.rank())))};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      int[] a = new int[axes.size() + 1];
      for (int i = 0; i < axes.size(); i++) {
        a[i + 1] = axes.get(i) + 1;
      }
      return in.getFirst().broadcast(shape.prepend(n), a);
    }
  }

  /** Every {@code strides[i]}-th element of {@code starts[i] <= index < stops[i]} of each axis. */
  record Slice(List<Integer> starts, List<Integer> stops, List<Integer> strides)
      implements ShapeOp {
    /** Copies the lists. */
    public Slice {
      starts = List.copyOf(starts);
      stops = List.copyOf(stops);
      strides = List.copyOf(strides);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      if (starts.size() != s.rank() || stops.size() != s.rank() || strides.size() != s.rank()) {
        throw Errors.shapes(label(), "needs one range per axis", in);
      }
      int[] d = new int[s.rank()];
      for (int i = 0; i < d.length; i++) {
        if (starts.get(i) < 0
            || stops.get(i) > s.dim(i)
            || starts.get(i) > stops.get(i)
            || strides.get(i) < 1) {
          throw Errors.shapes(
              label(),
              "range %d:%d:%d does not fit axis %d"
                  .formatted(starts.get(i), stops.get(i), strides.get(i), i),
              in);
        }
        d[i] = Math.ceilDiv(stops.get(i) - starts.get(i), strides.get(i));
      }
      return List.of(in.getFirst().type().with(Shape.of(d)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Shape s = node.input(0).shape();
      int r = s.rank();
      int[] low = new int[r];
      int[] high = new int[r];
      int[] interior = new int[r];
      for (int i = 0; i < r; i++) {
        int n = node.shape().dim(i);
        low[i] = starts.get(i);
        interior[i] = strides.get(i) - 1;
        int covered = n == 0 ? 0 : (n - 1) * strides.get(i) + 1;
        high[i] = s.dim(i) - low[i] - covered;
      }
      return new Expr[] {ct[0].pad(low, high, interior)};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(
          new Slice(Axes.prepend(0, starts), Axes.prepend(n, stops), Axes.prepend(1, strides)), in);
    }
  }

  /**
   * Zeros around and between the elements: {@code low[i]} before, {@code high[i]} after and {@code
   * interior[i]} between two neighbours along axis i.
   */
  record Pad(List<Integer> low, List<Integer> high, List<Integer> interior) implements ShapeOp {
    /** Copies the lists. */
    public Pad {
      low = List.copyOf(low);
      high = List.copyOf(high);
      interior = List.copyOf(interior);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      if (low.size() != s.rank() || high.size() != s.rank() || interior.size() != s.rank()) {
        throw Errors.shapes(label(), "needs one amount per axis", in);
      }
      int[] d = new int[s.rank()];
      for (int i = 0; i < d.length; i++) {
        if (low.get(i) < 0 || high.get(i) < 0 || interior.get(i) < 0) {
          throw Errors.shapes(label(), "amounts are at least 0", in);
        }
        int n = s.dim(i);
        long size = (long) low.get(i) + high.get(i) + n + Math.max(n - 1L, 0) * interior.get(i);
        if (size > Integer.MAX_VALUE) {
          throw Errors.shapes(label(), "axis " + i + " becomes too long, " + size, in);
        }
        d[i] = (int) size;
      }
      return List.of(in.getFirst().type().with(Shape.of(d)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Shape s = node.input(0).shape();
      int[] starts = new int[s.rank()];
      int[] stops = new int[s.rank()];
      int[] strides = new int[s.rank()];
      for (int i = 0; i < s.rank(); i++) {
        starts[i] = low.get(i);
        strides[i] = interior.get(i) + 1;
        stops[i] = s.dim(i) == 0 ? starts[i] : starts[i] + (s.dim(i) - 1) * strides[i] + 1;
      }
      return new Expr[] {ct[0].slice(starts, stops, strides)};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(
          new Pad(Axes.prepend(0, low), Axes.prepend(0, high), Axes.prepend(0, interior)), in);
    }
  }

  /** The inputs one after another along {@code axis}. */
  record Concat(int axis) implements ShapeOp {
    /** Checks the axis. */
    public Concat {
      Axes.check("concat", axis);
    }

    @Override
    public int arity() {
      return ANY;
    }

    @Override
    public List<Type> types(List<Expr> in) {
      if (in.isEmpty()) {
        throw new ShapeException("concat: takes at least 1 operand");
      }
      Type first = in.getFirst().type();
      long total = 0;
      for (Expr e : in) {
        if (e.dtype() != first.dtype()) {
          throw Errors.dtypes(label(), "element types differ", in);
        }
        if (e.shape().rank() != first.shape().rank()
            || !e.shape().with(axis, 0).equals(first.shape().with(axis, 0))) {
          throw Errors.shapes(label(), "shapes differ beyond axis " + axis, in);
        }
        total += e.shape().dim(axis);
      }
      if (total > Integer.MAX_VALUE) {
        throw Errors.shapes(label(), "axis " + axis + " becomes too long, " + total, in);
      }
      return List.of(first.with(first.shape().with(axis, (int) total)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr[] g = new Expr[node.inputs().size()];
      int at = 0;
      for (int i = 0; i < g.length; i++) {
        int n = node.input(i).shape().dim(axis);
        g[i] = ct[0].slice(axis, at, at + n);
        at += n;
      }
      return g;
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(new Concat(axis + 1), Batching.all(in, mapped, n));
    }
  }
}
