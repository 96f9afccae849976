package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.function.BinaryOperator;

/** What recurrent cells share: gates side by side in one product, and unrolled sequences. */
final class Recurrent {
  private Recurrent() {}

  static Tree<Weight> weights(int inputs, int hidden, int gates) {
    if (inputs < 1 || hidden < 1) {
      throw new ShapeException(
          "recurrent cell: sizes are at least 1, not " + inputs + " and " + hidden);
    }
    int n = gates * hidden;
    return Tree.<Weight>empty()
        .with("wi", start(hidden, inputs, n))
        .with("wh", start(hidden, hidden, n))
        .with("bi", start(hidden, n))
        .with("bh", start(hidden, n));
  }

  private static Weight start(int hidden, int... dims) {
    return new Weight(Type.f32(dims), Init.FAN_IN_UNIFORM, hidden, hidden);
  }

  static Expr affine(Expr x, Expr w, Expr b) {
    return x.matmul(w).add(b);
  }

  static Expr gate(Expr gates, int i, int hidden) {
    return gates.slice(1, i * hidden, (i + 1) * hidden);
  }

  static Expr at(Expr xs, int t) {
    return xs.slice(0, t, t + 1).reshape(xs.shape().without(0));
  }

  static Expr stack(Expr[] steps) {
    Expr[] rows = new Expr[steps.length];
    for (int t = 0; t < rows.length; t++) {
      rows[t] = steps[t].reshape(steps[t].shape().prepend(1));
    }
    return Expr.concat(0, rows);
  }

  static Expr scan(Expr xs, Expr start, BinaryOperator<Expr> step) {
    Expr[] all = new Expr[xs.shape().dim(0)];
    Expr h = start;
    for (int t = 0; t < all.length; t++) {
      h = step.apply(at(xs, t), h);
      all[t] = h;
    }
    return stack(all);
  }
}
