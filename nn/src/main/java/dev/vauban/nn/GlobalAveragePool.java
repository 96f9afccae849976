package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;

/** The mean of each channel over all positions. Shape: [N,H,W,C] to [N,C]. */
public record GlobalAveragePool() implements Layer {
  @Override
  public String kind() {
    return "pool";
  }

  @Override
  public Shape output(Shape in) {
    if (in.rank() != 3) {
      throw new ShapeException(this + ": takes images [H,W,C], not " + in);
    }
    return Shape.of(in.dim(2));
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    return Tree.empty();
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    return x.mean(1, 2);
  }

  @Override
  public String toString() {
    return "global-average-pool";
  }
}
