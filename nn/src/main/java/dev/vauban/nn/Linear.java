package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * x w + b over the last axis. Shape: [..., in] to [..., outputs]. Weights: {@code w} [in,outputs]
 * and, with bias, {@code b} [outputs].
 *
 * @param outputs number of outputs; at least 1
 * @param bias whether a constant is added to each output
 * @param init how the matrix starts
 */
public record Linear(int outputs, Bias bias, Init init) implements Layer {
  /** Checks the range. */
  public Linear {
    if (outputs < 1) {
      throw new ShapeException("linear: at least 1 output, not " + outputs);
    }
  }

  /** This layer without its bias. */
  public Linear withoutBias() {
    return new Linear(outputs, Bias.WITHOUT, init);
  }

  /** This layer with a matrix that starts as {@code init}. */
  public Linear starting(Init init) {
    return new Linear(outputs, bias, init);
  }

  @Override
  public String kind() {
    return "linear";
  }

  @Override
  public Shape output(Shape in) {
    if (in.rank() < 1) {
      throw new ShapeException(this + ": takes vectors, not a scalar");
    }
    return in.with(in.rank() - 1, outputs);
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    output(in);
    int n = in.dim(-1);
    Tree<Weight> w = Tree.of("w", new Weight(Type.f32(n, outputs), init, Math.max(n, 1), outputs));
    return bias == Bias.WITH ? w.with("b", Weight.zeros(outputs)) : w;
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    Expr y = x.matmul(w.get("w"));
    return bias == Bias.WITH ? y.add(w.get("b")) : y;
  }

  /** For example {@code linear 5}. */
  @Override
  public String toString() {
    return "linear " + outputs;
  }
}
