package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * The simple recurrent cell: h' = tanh(x wi + bi + h wh + bh) (Elman 1990).
 *
 * @param inputs size of an input; at least 1
 * @param hidden size of the state; at least 1
 */
public record RnnCell(int inputs, int hidden) {
  /** Weights {@code wi}, {@code wh}, {@code bi}, {@code bh}, uniform in ±1/sqrt(hidden). */
  public Tree<Weight> weights() {
    return Recurrent.weights(inputs, hidden, 1);
  }

  /** The state of zeros for a batch of n. */
  public Expr zeros(int n) {
    return Expr.fill(Type.f32(n, hidden), 0);
  }

  /** One step: x [N,inputs] and h [N,hidden] to the next h. */
  public Expr apply(Tree<Expr> w, Expr x, Expr h) {
    Expr a = Recurrent.affine(x, w.get("wi"), w.get("bi"));
    return a.add(Recurrent.affine(h, w.get("wh"), w.get("bh"))).tanh();
  }

  /** The outputs [T,N,hidden] for a sequence xs [T,N,inputs], unrolled. */
  public Expr sequence(Tree<Expr> w, Expr xs, Expr start) {
    return Recurrent.scan(xs, start, (x, h) -> apply(w, x, h));
  }
}
