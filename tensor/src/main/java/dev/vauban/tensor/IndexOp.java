package dev.vauban.tensor;

import java.util.List;

/** Operations with computed positions. */
public sealed interface IndexOp extends Op {
  @Override
  default int arity() {
    return 2;
  }

  /**
   * (x, indices I32) to the slices of x along {@code axis} at the indices; the result's shape is
   * x's with that axis replaced by the indices' shape. An index outside the axis is an error when
   * the graph runs.
   */
  record Gather(int axis) implements IndexOp {
    /** Checks the axis. */
    public Gather {
      Axes.check("gather", axis);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape x = in.get(0).shape();
      indices(this, in.get(1), in);
      Shape y = x.without(axis);
      int[] idx = in.get(1).shape().dims();
      for (int i = idx.length - 1; i >= 0; i--) {
        y = y.insert(axis, idx[i]);
      }
      return List.of(in.get(0).type().with(y));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      int size = node.input(0).shape().dim(axis);
      return new Expr[] {Expr.of(new ScatterAdd(axis, size), List.of(ct[0], node.input(1))), null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      Expr x = in.get(0);
      Expr idx = in.get(1);
      if (!mapped[1]) {
        return Expr.of(new Gather(axis + 1), in);
      }
      if (!mapped[0]) {
        return Batching.move(Expr.of(this, in), axis, 0);
      }
      // Both: [n, pre, A, post] -> [n*A, pre, post], indices moved into their element's part.
      int a = x.shape().dim(axis + 1);
      Expr flat = Batching.mergeFirst(Batching.move(x, axis + 1, 1));
      Expr y = Expr.of(new Gather(0), List.of(flat, offset(idx, n, a)));
      int k = idx.shape().rank() - 1;
      for (int i = 0; i < axis; i++) { // [n, idx, pre, post] -> [n, pre, idx, post]
        y = Batching.move(y, 1 + k + i, 1 + i);
      }
      return y;
    }
  }

  /**
   * (updates, indices I32) to zeros of size {@code size} along {@code axis} to which each update
   * slice is added at its index: the adjoint of {@link Gather}.
   */
  record ScatterAdd(int axis, int size) implements IndexOp {
    /** Checks axis and size. */
    public ScatterAdd {
      Axes.check("scatterAdd", axis);
      if (size < 0) {
        throw new ShapeException("scatterAdd: the axis cannot have size " + size);
      }
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape u = in.get(0).shape();
      Shape idx = in.get(1).shape();
      indices(this, in.get(1), in);
      if (axis > u.rank() - idx.rank()) {
        throw Errors.shapes(label(), "the result has no axis " + axis, in);
      }
      for (int i = 0; i < idx.rank(); i++) {
        if (u.dim(axis + i) != idx.dim(i)) {
          throw Errors.shapes(label(), "the updates do not fit the indices", in);
        }
      }
      Shape y = u;
      for (int i = 0; i < idx.rank(); i++) {
        y = y.without(axis);
      }
      return List.of(in.get(0).type().with(y.insert(axis, size)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {Expr.of(new Gather(axis), List.of(ct[0], node.input(1))), null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      if (!mapped[1]) {
        return Expr.of(new ScatterAdd(axis + 1, size), in);
      }
      List<Expr> all = Batching.all(in, mapped, n);
      Expr u = all.get(0);
      Expr idx = all.get(1);
      int k = idx.shape().rank() - 1;
      for (int i = 0; i < axis; i++) { // [n, pre, idx, post] -> [n, idx, pre, post]
        u = Batching.move(u, 1, axis + k);
      }
      Expr y = Expr.of(new ScatterAdd(0, n * size), List.of(u, offset(idx, n, size)));
      return Batching.move(Batching.splitFirst(y, n), 1, axis + 1);
    }
  }

  private static void indices(IndexOp op, Expr idx, List<Expr> in) {
    if (idx.dtype() != DType.I32) {
      throw Errors.dtypes(op.label(), "indices are i32", in);
    }
  }

  private static Expr offset(Expr idx, int n, int size) {
    Expr part = Expr.iota(new Type(DType.I32, idx.shape()), 0);
    return idx.add(part.mul(size));
  }
}
