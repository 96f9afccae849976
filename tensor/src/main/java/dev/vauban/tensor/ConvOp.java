package dev.vauban.tensor;

import java.util.List;

/**
 * Two-dimensional convolution (cross-correlation) and its two gradients. Images are [N,H,W,C],
 * kernels [H,W,I,O] with I = C / groups; output channel o belongs to group o / (O / groups). The
 * three are linear in both inputs and each other's derivatives, so the family is closed under
 * differentiation. Products of BF16 operands are summed up, and given, in F32.
 *
 * <p>An element that is infinite or NaN reaches every result whose window holds it. Whether a
 * kernel element (in its gradient: an element of gy) that meets padding counts as a product with 0,
 * which is NaN for an infinity, or not at all is left to the backend; it is the same for all
 * numbers.
 */
public sealed interface ConvOp extends Op {
  @Override
  default int arity() {
    return 2;
  }

  /** How the kernel moves over the image. */
  Window window();

  /** Number of channel groups; divides both channel counts. */
  int groups();

  /** x [N,H,W,C], w [R,S,C/g,K] to [N,P,Q,K]. */
  record Convolve(Window window, int groups) implements ConvOp {
    @Override
    public List<Type> types(List<Expr> in) {
      Type x = image(this, in, 0);
      Shape w = kernel(this, in);
      channels(this, x.shape(), w, in);
      return List.of(sums(x).with(output(this, x.shape(), w, in)));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr x = node.input(0);
      Expr w = node.input(1);
      Expr g = ct[0].cast(x.dtype());
      return new Expr[] {
        Expr.of(new InputGradient(window, groups, x.shape()), List.of(g, w)).cast(x.dtype()),
        Expr.of(new KernelGradient(window, groups, w.shape()), List.of(x, g)).cast(x.dtype())
      };
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      if (!mapped[1]) {
        Expr y = Expr.of(this, List.of(Batching.mergeFirst(in.get(0)), in.get(1)));
        return Batching.splitFirst(y, n);
      }
      List<Expr> all = Batching.all(in, mapped, n);
      Expr y =
          Expr.of(
              new Convolve(window, groups * n),
              List.of(Batching.mergeInto(all.get(0), 3), Batching.mergeInto(all.get(1), 3)));
      return Batching.splitFrom(y, 3, n);
    }
  }

  /** gy [N,P,Q,K], w [R,S,C/g,K] to the cotangent of x, of shape {@code input}. */
  record InputGradient(Window window, int groups, Shape input) implements ConvOp {
    @Override
    public List<Type> types(List<Expr> in) {
      Type gy = image(this, in, 0);
      Shape w = kernel(this, in);
      if (input.rank() != 4 || !gy.shape().equals(output(this, input, w, in))) {
        throw Errors.shapes(label(), "do not fit an input of " + input, in);
      }
      channels(this, input, w, in);
      return List.of(sums(gy).with(input));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr gy = node.input(0);
      Expr w = node.input(1);
      Expr g = ct[0].cast(gy.dtype());
      return new Expr[] {
        Expr.of(new Convolve(window, groups), List.of(g, w)).cast(gy.dtype()),
        Expr.of(new KernelGradient(window, groups, w.shape()), List.of(g, gy)).cast(gy.dtype())
      };
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      if (!mapped[1]) {
        Shape merged = input.with(0, input.dim(0) * n);
        Expr y =
            Expr.of(
                new InputGradient(window, groups, merged),
                List.of(Batching.mergeFirst(in.get(0)), in.get(1)));
        return Batching.splitFirst(y, n);
      }
      List<Expr> all = Batching.all(in, mapped, n);
      Expr y =
          Expr.of(
              new InputGradient(window, groups * n, input.with(3, input.dim(3) * n)),
              List.of(Batching.mergeInto(all.get(0), 3), Batching.mergeInto(all.get(1), 3)));
      return Batching.splitFrom(y, 3, n);
    }
  }

  /** x [N,H,W,C], gy [N,P,Q,K] to the cotangent of w, of shape {@code kernel}. */
  record KernelGradient(Window window, int groups, Shape kernel) implements ConvOp {
    @Override
    public List<Type> types(List<Expr> in) {
      Type x = image(this, in, 0);
      Type gy = image(this, in, 1);
      if (kernel.rank() != 4 || !gy.shape().equals(output(this, x.shape(), kernel, in))) {
        throw Errors.shapes(label(), "do not fit a kernel of " + kernel, in);
      }
      channels(this, x.shape(), kernel, in);
      return List.of(sums(x).with(kernel));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr x = node.input(0);
      Expr gy = node.input(1);
      Expr g = ct[0].cast(x.dtype());
      return new Expr[] {
        Expr.of(new InputGradient(window, groups, x.shape()), List.of(gy, g)).cast(x.dtype()),
        Expr.of(new Convolve(window, groups), List.of(x, g)).cast(x.dtype())
      };
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      List<Expr> all = Batching.all(in, mapped, n);
      Expr y =
          Expr.of(
              new KernelGradient(window, groups * n, kernel.with(3, kernel.dim(3) * n)),
              List.of(Batching.mergeInto(all.get(0), 3), Batching.mergeInto(all.get(1), 3)));
      return Batching.splitFrom(y, 3, n);
    }
  }

  private static Type sums(Type t) {
    return t.with(t.dtype().sums());
  }

  private static Type image(ConvOp op, List<Expr> in, int i) {
    Type t = in.get(i).type();
    if (t.shape().rank() != 4) {
      throw Errors.shapes(op.label(), "images are [N,H,W,C]", in);
    }
    if (!t.dtype().isFloat() || in.get(0).dtype() != in.get(1).dtype()) {
      throw Errors.dtypes(op.label(), "needs two operands of one floating-point type", in);
    }
    return t;
  }

  private static Shape kernel(ConvOp op, List<Expr> in) {
    Shape w = in.get(1).shape();
    if (w.rank() != 4) {
      throw Errors.shapes(op.label(), "kernels are [H,W,I,O]", in);
    }
    return w;
  }

  private static void channels(ConvOp op, Shape x, Shape w, List<Expr> in) {
    int g = op.groups();
    if (g < 1 || x.dim(3) != (long) w.dim(2) * g || w.dim(3) % g != 0) {
      throw Errors.shapes(
          op.label(), "channels do not fit the kernel in %d group(s)".formatted(g), in);
    }
  }

  private static Shape output(ConvOp op, Shape x, Shape w, List<Expr> in) {
    int p = op.window().outH(x.dim(1), w.dim(0));
    int q = op.window().outW(x.dim(2), w.dim(1));
    if (p < 1 || q < 1) {
      throw Errors.shapes(op.label(), "the kernel is larger than the padded image", in);
    }
    return Shape.of(x.dim(0), p, q, w.dim(3));
  }
}
