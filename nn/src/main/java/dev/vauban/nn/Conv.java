package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;

/**
 * Two-dimensional convolution. Shape: [N,H,W,C] to [N,P,Q,filters]. Weights: {@code w}
 * [height,width,C/groups,filters] and, with bias, {@code b} [filters].
 *
 * @param filters output channels; a multiple of {@code groups}
 * @param height rows of the kernel
 * @param width columns of the kernel
 * @param window stride, padding and dilation
 * @param groups channel groups; divides the input's channels
 * @param bias whether a constant is added to each filter
 * @param init how the kernel starts
 */
public record Conv(
    int filters, int height, int width, Window window, int groups, Bias bias, Init init)
    implements Layer {
  /** Checks the ranges. */
  public Conv {
    if (filters < 1 || height < 1 || width < 1 || groups < 1 || filters % groups != 0) {
      throw new ShapeException(
          "conv: %d filters of %dx%d in %d group(s): all are at least 1 and groups divide filters"
              .formatted(filters, height, width, groups));
    }
  }

  /** This layer with another stride and padding, the same in both directions. */
  public Conv moving(int stride, int padding) {
    return new Conv(filters, height, width, Window.of(stride, padding), groups, bias, init);
  }

  /** This layer in channel groups. */
  public Conv grouped(int groups) {
    return new Conv(filters, height, width, window, groups, bias, init);
  }

  /** This layer with a bias. */
  public Conv withBias() {
    return new Conv(filters, height, width, window, groups, Bias.WITH, init);
  }

  /** This layer without its bias. */
  public Conv withoutBias() {
    return new Conv(filters, height, width, window, groups, Bias.WITHOUT, init);
  }

  /** This layer with a kernel that starts as {@code init}. */
  public Conv starting(Init init) {
    return new Conv(filters, height, width, window, groups, bias, init);
  }

  @Override
  public String kind() {
    return "conv";
  }

  @Override
  public Shape output(Shape in) {
    if (in.rank() != 3) {
      throw new ShapeException(this + ": takes images [H,W,C], not " + in);
    }
    if (in.dim(2) % groups != 0) {
      throw new ShapeException(
          this + ": " + in.dim(2) + " channels do not divide into " + groups + " groups");
    }
    int p = window.outH(in.dim(0), height);
    int q = window.outW(in.dim(1), width);
    if (p < 1 || q < 1) {
      throw new ShapeException(this + ": the kernel is larger than the padded image " + in);
    }
    return Shape.of(p, q, filters);
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    output(in);
    int fanIn = height * width * (in.dim(2) / groups);
    int fanOut = height * width * (filters / groups);
    Type kernel = Type.f32(height, width, in.dim(2) / groups, filters);
    Tree<Weight> w = Tree.of("w", new Weight(kernel, init, fanIn, fanOut));
    return bias == Bias.WITH ? w.with("b", Weight.zeros(filters)) : w;
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    Expr y = x.convolve(w.get("w"), window, groups);
    return bias == Bias.WITH ? y.add(w.get("b")) : y;
  }

  /** For example {@code conv 64 3x3 stride 2x2}. */
  @Override
  public String toString() {
    String s = "conv " + filters + " " + height + "x" + width + " " + window;
    return groups > 1 ? s + " groups " + groups : s;
  }
}
