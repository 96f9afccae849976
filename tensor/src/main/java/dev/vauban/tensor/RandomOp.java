package dev.vauban.tensor;

import java.util.List;

/**
 * Counter-based random numbers (Threefry-2x32-20, see {@link Key}). A key is I32 [...,2]; leading
 * dimensions are independent keys.
 */
public sealed interface RandomOp extends Op {
  /** What is drawn. */
  enum Distribution {
    /** All 32-bit integers: the first word of block i. */
    BITS,
    /** [0, 1) in steps of 2^-24: the upper 24 bits of the first word. */
    UNIFORM,
    /** Standard normal: Box-Muller (cosine) of both words, each with 24 bits. */
    NORMAL
  }

  /** key [...,2] to [..., shape]: element i of each key comes from counter i. */
  record Random(Distribution distribution, Shape shape) implements RandomOp {
    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = key(this, in);
      for (int d : shape.dims()) {
        s = s.insert(s.rank(), d);
      }
      return List.of(new Type(distribution == Distribution.BITS ? DType.I32 : DType.F32, s));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, in);
    }
  }

  /** (key [...,2], data I32 [...]) to keys [...,2]: {@link Key#fold} element by element. */
  record Fold() implements RandomOp {
    @Override
    public int arity() {
      return 2;
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = key(this, in);
      if (in.get(1).dtype() != DType.I32 || !in.get(1).shape().equals(s)) {
        throw Errors.shapes(label(), "needs one i32 number per key", in);
      }
      return List.of(in.get(0).type());
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null, null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, Batching.all(in, mapped, n));
    }
  }

  private static Shape key(RandomOp op, List<Expr> in) {
    Type t = in.getFirst().type();
    if (t.dtype() != DType.I32 || t.shape().rank() < 1 || t.shape().dim(-1) != 2) {
      throw Errors.shapes(op.label(), "a key is i32[...,2]", in);
    }
    return t.shape().without(-1);
  }
}
