package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;

/** Every example as one vector, row-major: an image's channels vary fastest. */
public record Flatten() implements Layer {
  @Override
  public String kind() {
    return "flatten";
  }

  @Override
  public Shape output(Shape in) {
    return Shape.of(Math.toIntExact(in.size()));
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    return Tree.empty();
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    int n = x.shape().dim(0);
    return x.reshape(n, Math.toIntExact(x.shape().without(0).size()));
  }

  @Override
  public String toString() {
    return "flatten";
  }
}
