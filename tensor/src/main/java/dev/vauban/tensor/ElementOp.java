package dev.vauban.tensor;

import java.util.List;

/** Operations that treat each element alone. */
public sealed interface ElementOp extends Op {

  /**
   * A scalar function of arrays of one type.
   *
   * @param fn the function; as many inputs as its arity
   */
  record Pointwise(ScalarFn fn) implements ElementOp {
    @Override
    public int arity() {
      return fn.arity();
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Type t = in.getFirst().type();
      for (Expr e : in) {
        if (!e.shape().equals(t.shape())) {
          throw Errors.shapes(label(), "shapes differ", in);
        }
        if (e.dtype() != t.dtype()) {
          throw Errors.dtypes(label(), "element types differ; cast one of them", in);
        }
      }
      if (t.dtype() == DType.U8 || (t.dtype() == DType.I32 && !fn.onIntegers())) {
        throw Errors.dtypes(label(), "needs a floating-point type; cast first", in);
      }
      return List.of(t);
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] cotangents) {
      Expr[] x = node.inputs().toArray(Expr[]::new);
      Expr[] g = new Expr[x.length];
      for (int i = 0; i < x.length; i++) {
        g[i] = fn.cotangent(i, x, node, cotangents[0]);
      }
      return g;
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, Batching.all(in, mapped, n));
    }

    @Override
    public String label() {
      return fn.name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * Conversion to another element type. Float to integer truncates towards zero, saturates, and
   * gives 0 for NaN. To BF16 it rounds to nearest, ties to even. Gradient: the cotangent is
   * converted back; zero through integers.
   */
  record Cast(DType to) implements ElementOp {
    @Override
    public List<Type> types(List<Expr> in) {
      return List.of(in.getFirst().type().with(to));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] cotangents) {
      DType from = node.input(0).dtype();
      return new Expr[] {from.isFloat() && to.isFloat() ? cotangents[0].cast(from) : null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, in);
    }
  }
}
