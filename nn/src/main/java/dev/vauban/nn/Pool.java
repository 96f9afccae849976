package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;

/**
 * The largest value or the mean of each window. Shape: [N,H,W,C] to [N,P,Q,C]. Windows that would
 * reach beyond the padded image are left out.
 *
 * @param how what is taken of each window
 * @param window size, stride, padding and dilation
 */
public record Pool(Kind how, PoolWindow window) implements Layer {
  /** What is taken of a window. */
  public enum Kind {
    /** The largest value; its gradient goes to the window's first maximum. */
    MAX,
    /** The mean, padding counted as zeros. */
    AVERAGE
  }

  @Override
  public String kind() {
    return "pool";
  }

  @Override
  public Shape output(Shape in) {
    if (in.rank() != 3) {
      throw new ShapeException(this + ": takes images [H,W,C], not " + in);
    }
    int p = window.move().outH(in.dim(0), window.h());
    int q = window.move().outW(in.dim(1), window.w());
    if (p < 1 || q < 1) {
      throw new ShapeException(this + ": the window is larger than the padded image " + in);
    }
    return Shape.of(p, q, in.dim(2));
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    return Tree.empty();
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    return switch (how) {
      case MAX -> x.maxPool(window);
      case AVERAGE -> x.averagePool(window);
    };
  }

  /** For example {@code max-pool 2x2 stride 2x2}. */
  @Override
  public String toString() {
    String name = how == Kind.MAX ? "max-pool " : "average-pool ";
    return name + window.h() + "x" + window.w() + " " + window.move();
  }
}
