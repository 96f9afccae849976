package dev.vauban.tensor;

import java.util.List;

/**
 * Pooling of images [N,H,W,C]. Maximum pooling is {@link PoolGather} at {@link PoolArgMax}: the
 * positions are found once and serve the value, the gradient (a scatter) and the gradient's
 * gradient (a gather again). Average pooling is {@link PoolSum} times a constant.
 */
public sealed interface PoolOp extends Op {
  /**
   * A pooling window.
   *
   * @param h rows; h * w is at most 256
   * @param w columns
   * @param move how it moves; its padding never wins a maximum and counts 0 in a sum
   */
  record PoolWindow(int h, int w, Window move) {
    /** Checks the size. */
    public PoolWindow {
      if (h < 1 || w < 1 || (long) h * w > 256) {
        throw new ShapeException("pooling: a window has 1 to 256 positions, not " + h + "x" + w);
      }
      long rows = move.dilationH() * (h - 1L);
      long columns = move.dilationW() * (w - 1L);
      if (move.top() > rows
          || move.bottom() > rows
          || move.left() > columns
          || move.right() > columns) {
        throw new ShapeException("pooling: the padding must be smaller than the window");
      }
    }

    /** A square window that moves by its own size: {@code k} x {@code k}, stride {@code k}. */
    public static PoolWindow square(int k) {
      return new PoolWindow(k, k, Window.of(k, 0));
    }

    /** True if a window may lie over padding. */
    public boolean isPadded() {
      return move.top() + move.bottom() + move.left() + move.right() > 0;
    }

    /** True if no two windows share a position. */
    public boolean isDisjoint() {
      return move.strideH() > (h - 1) * move.dilationH()
          && move.strideW() > (w - 1) * move.dilationW();
    }

    /** True if each position of images [N,H,W,C] belongs to exactly one window. */
    public boolean tiles(Shape images) {
      return move.equals(new Window(h, w, 0, 0, 0, 0, 1, 1))
          && images.dim(1) % h == 0
          && images.dim(2) % w == 0;
    }

    Shape output(Op op, Shape x, List<Expr> in) {
      if (x.rank() != 4) {
        throw Errors.shapes(op.label(), "images are [N,H,W,C]", in);
      }
      int p = move.outH(x.dim(1), h);
      int q = move.outW(x.dim(2), w);
      if (p < 1 || q < 1) {
        throw Errors.shapes(op.label(), "the window is larger than the padded image", in);
      }
      return Shape.of(x.dim(0), p, q, x.dim(3));
    }
  }

  /** The window. */
  PoolWindow window();

  /**
   * x to U8 offsets (row * w + column) of each window's first maximum. The first NaN wins over
   * every number; a window that lies wholly over padding has offset 0. No gradient.
   */
  record PoolArgMax(PoolWindow window) implements PoolOp {
    @Override
    public List<Type> types(List<Expr> in) {
      return List.of(new Type(DType.U8, window.output(this, in.getFirst().shape(), in)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return merged(this, in, mapped, n);
    }
  }

  /**
   * (v [N,H,W,C], offsets [N,P,Q,C]) to v at the offsets, [N,P,Q,C]. An offset over padding, or
   * beyond the window, gives 0.
   */
  record PoolGather(PoolWindow window) implements PoolOp {
    @Override
    public int arity() {
      return 2;
    }

    @Override
    public List<Type> types(List<Expr> in) {
      offsets(this, in);
      Shape y = window.output(this, in.get(0).shape(), in);
      if (!y.equals(in.get(1).shape())) {
        throw Errors.shapes(label(), "the offsets do not fit", in);
      }
      return List.of(in.get(0).type().with(y));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Op scatter = new PoolScatter(window, node.input(0).shape());
      return new Expr[] {Expr.of(scatter, List.of(ct[0], node.input(1))), null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return merged(this, in, mapped, n);
    }
  }

  /**
   * (g [N,P,Q,C], offsets) to {@code input}: each g added at its offset, zeros elsewhere. An offset
   * over padding, or beyond the window, adds nothing.
   */
  record PoolScatter(PoolWindow window, Shape input) implements PoolOp {
    @Override
    public int arity() {
      return 2;
    }

    @Override
    public List<Type> types(List<Expr> in) {
      offsets(this, in);
      Shape y = window.output(this, input, in);
      if (!y.equals(in.get(0).shape()) || !y.equals(in.get(1).shape())) {
        throw Errors.shapes(label(), "do not fit an input of " + input, in);
      }
      return List.of(in.get(0).type().with(input));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {Expr.of(new PoolGather(window), List.of(ct[0], node.input(1))), null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      Op op = new PoolScatter(window, input.with(0, input.dim(0) * n));
      return merged(op, in, mapped, n);
    }
  }

  /** The sum over each window. */
  record PoolSum(PoolWindow window) implements PoolOp {
    @Override
    public List<Type> types(List<Expr> in) {
      return List.of(in.getFirst().type().with(window.output(this, in.getFirst().shape(), in)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {
        Expr.of(new PoolSumGradient(window, node.input(0).shape()), List.of(ct[0]))
      };
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return merged(this, in, mapped, n);
    }
  }

  /** g [N,P,Q,C] to {@code input}: each g added to every position of its window. */
  record PoolSumGradient(PoolWindow window, Shape input) implements PoolOp {
    @Override
    public List<Type> types(List<Expr> in) {
      if (!window.output(this, input, in).equals(in.getFirst().shape())) {
        throw Errors.shapes(label(), "does not fit an input of " + input, in);
      }
      return List.of(in.getFirst().type().with(input));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {Expr.of(new PoolSum(window), List.of(ct[0]))};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return merged(new PoolSumGradient(window, input.with(0, input.dim(0) * n)), in, mapped, n);
    }
  }

  private static void offsets(PoolOp op, List<Expr> in) {
    if (in.get(1).dtype() != DType.U8) {
      throw Errors.dtypes(op.label(), "offsets are u8", in);
    }
  }

  private static Expr merged(Op op, List<Expr> in, boolean[] mapped, int n) {
    List<Expr> merged = Batching.all(in, mapped, n).stream().map(Batching::mergeFirst).toList();
    return Batching.splitFirst(Expr.of(op, merged), n);
  }
}
