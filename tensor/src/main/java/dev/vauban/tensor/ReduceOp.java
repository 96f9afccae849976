package dev.vauban.tensor;

import java.util.List;

/** Operations that combine or order the elements along axes. */
public sealed interface ReduceOp extends Op {

  /** How values are combined. */
  enum Kind {
    SUM,
    MAX,
    MIN
  }

  /**
   * The elements along {@code axes} (ascending) combined; those axes disappear. A maximum or
   * minimum propagates NaN and shares its gradient equally among ties.
   */
  record Reduce(Kind kind, List<Integer> axes) implements ReduceOp {
    /** Checks the axes. */
    public Reduce {
      axes = Axes.rising("reduce", axes);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Type t = in.getFirst().type();
      if (t.dtype() == DType.U8) {
        throw Errors.dtypes(label(), "needs a wider type than u8; cast first", in);
      }
      if (kind != Kind.SUM) {
        for (int a : axes) {
          if (t.shape().dim(a) == 0) {
            throw Errors.shapes(label(), "no elements along axis " + a, in);
          }
        }
      }
      return List.of(t.with(t.shape().without(Axes.array(axes))));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr x = node.input(0);
      int[] kept = Axes.array(Axes.others(axes, x.shape().rank()));
      Expr spread = ct[0].broadcast(x.shape(), kept);
      if (kind == Kind.SUM) {
        return new Expr[] {spread};
      }
      Expr chosen = x.eq(node.broadcast(x.shape(), kept));
      Expr count = chosen.sum(Axes.array(axes)).broadcast(x.shape(), kept);
      return new Expr[] {spread.mul(chosen).div(count)};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(new Reduce(kind, Axes.shift(axes, 1)), in);
    }

    @Override
    public String label() {
      return "reduce-" + kind.name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * The mean squared distance from the mean along {@code axes} (ascending), which disappear; the
   * divisor is the number n of elements.
   *
   * <p>A composition would do, but not its gradient: the composition's has a second term, through
   * the mean, that is a sum of distances from the mean and always zero, which costs normalisation a
   * pass over memory. Backends compute the composition ({@link Passes}).
   */
  record Variance(List<Integer> axes) implements ReduceOp {
    /** Checks the axes. */
    public Variance {
      axes = Axes.rising("variance", axes);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Type t = in.getFirst().type();
      if (!t.dtype().isFloat()) {
        throw Errors.dtypes(label(), "needs a floating-point type; cast first", in);
      }
      return List.of(t.with(t.shape().without(Axes.array(axes))));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr x = node.input(0);
      int[] kept = Axes.array(Axes.others(axes, x.shape().rank()));
      double n = (double) x.shape().size() / node.shape().size();
      return new Expr[] {centred(x).mul(ct[0].mul(2 / n).broadcast(x.shape(), kept))};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(new Variance(Axes.shift(axes, 1)), in);
    }

    /** Elements from which on an array is read once rather than twice. */
    private static final long LARGE = 1 << 16;

    /**
     * The same by means of other operations.
     *
     * <p>Large arrays are read once: with distances d from the mean of the first part along axis 0,
     * the variance is mean(d^2) - mean(d)^2. That part lies so near the mean that the difference
     * loses little: of m parts with mean 0 and variance v, none has a mean beyond sqrt(m v), so
     * that mean(d)^2 is at most m v, and for images of one kind far less.
     */
    Expr expanded(Expr x) {
      int[] over = Axes.array(axes);
      if (!axes.contains(0) || x.shape().dim(0) < 2 || x.shape().size() < LARGE) {
        return centred(x).square().mean(over);
      }
      Expr part = new Chain(fn -> true, 12).over(x, a -> a.slice(0, 0, 1));
      Expr d = x.sub(part.mean(over).keep(x.shape(), over));
      return d.square().mean(over).sub(d.mean(over).square()).max(0);
    }

    private Expr centred(Expr x) {
      int[] over = Axes.array(axes);
      return x.sub(x.mean(over).keep(x.shape(), over));
    }
  }

  /** The index (I32) of the first largest or smallest element along {@code axis}; NaN wins. */
  record ArgReduce(Kind kind, int axis) implements ReduceOp {
    /** Checks kind and axis. */
    public ArgReduce {
      Axes.check("argReduce", axis);
      if (kind == Kind.SUM) {
        throw new IllegalArgumentException("an arg-reduction is MAX or MIN");
      }
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      if (s.dim(axis) == 0) {
        throw Errors.shapes(label(), "no elements along axis " + axis, in);
      }
      return List.of(new Type(DType.I32, s.without(axis)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(new ArgReduce(kind, axis + 1), in);
    }
  }

  /** Which way an order runs. */
  enum Order {
    ASCENDING,
    DESCENDING
  }

  /**
   * The indices (I32) that sort the elements along {@code axis}, the first {@code k} of them.
   * Stable; NaN comes last in ascending and first in descending order.
   */
  record ArgSort(int axis, Order order, int k) implements ReduceOp {
    /** Checks the axis. */
    public ArgSort {
      Axes.check("argSort", axis);
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Shape s = in.getFirst().shape();
      if (k < 0 || k > s.dim(axis)) {
        throw Errors.shapes(label(), "k = " + k + " does not fit axis " + axis, in);
      }
      return List.of(new Type(DType.I32, s.with(axis, k)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(new ArgSort(axis + 1, order, k), in);
    }
  }
}
