package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A gated recurrent unit (Cho et al. 2014) in the form with the reset gate after the product:
 *
 * <pre>
 *   r = sigmoid(x wi_r + bi_r + h wh_r + bh_r)
 *   z = sigmoid(x wi_z + bi_z + h wh_z + bh_z)
 *   n = tanh(x wi_n + bi_n + r (h wh_n + bh_n))
 *   h' = (1 - z) n + z h
 * </pre>
 *
 * @param inputs size of an input; at least 1
 * @param hidden size of the state; at least 1
 */
public record GruCell(int inputs, int hidden) {
  /** Weights {@code wi}, {@code wh}, {@code bi}, {@code bh}, uniform in ±1/sqrt(hidden). */
  public Tree<Weight> weights() {
    return Recurrent.weights(inputs, hidden, 3);
  }

  /** The state of zeros for a batch of n. */
  public Expr zeros(int n) {
    return Expr.fill(Type.f32(n, hidden), 0);
  }

  /** One step: x [N,inputs] and h [N,hidden] to the next h. */
  public Expr apply(Tree<Expr> w, Expr x, Expr h) {
    Expr xs = Recurrent.affine(x, w.get("wi"), w.get("bi"));
    Expr hs = Recurrent.affine(h, w.get("wh"), w.get("bh"));
    Expr r = Recurrent.gate(xs, 0, hidden).add(Recurrent.gate(hs, 0, hidden)).sigmoid();
    Expr z = Recurrent.gate(xs, 1, hidden).add(Recurrent.gate(hs, 1, hidden)).sigmoid();
    Expr n = Recurrent.gate(xs, 2, hidden).add(r.mul(Recurrent.gate(hs, 2, hidden))).tanh();
    return z.rsub(1).mul(n).add(z.mul(h));
  }

  /** The outputs [T,N,hidden] for a sequence xs [T,N,inputs], unrolled. */
  public Expr sequence(Tree<Expr> w, Expr xs, Expr start) {
    return Recurrent.scan(xs, start, (x, h) -> apply(w, x, h));
  }
}
