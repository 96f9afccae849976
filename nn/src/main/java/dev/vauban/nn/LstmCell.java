package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A long short-term memory cell (Hochreiter and Schmidhuber 1997, with forget gate). With gates i,
 * f, g, o side by side in [inputs, 4 hidden] matrices:
 *
 * <pre>
 *   i, f, g, o = x wi + bi + h wh + bh
 *   c' = sigmoid(f) c + sigmoid(i) tanh(g)
 *   h' = sigmoid(o) tanh(c')
 * </pre>
 *
 * @param inputs size of an input; at least 1
 * @param hidden size of the state; at least 1
 */
public record LstmCell(int inputs, int hidden) {
  /**
   * A state.
   *
   * @param h output [N,hidden]
   * @param c cell [N,hidden]
   */
  public record State(Expr h, Expr c) {}

  /** All outputs [T,N,hidden] of a sequence and the state after it. */
  public record Outputs(Expr all, State last) {}

  /** Weights {@code wi}, {@code wh}, {@code bi}, {@code bh}, uniform in ±1/sqrt(hidden). */
  public Tree<Weight> weights() {
    return Recurrent.weights(inputs, hidden, 4);
  }

  /** The state of zeros for a batch of n. */
  public State zeros(int n) {
    Expr zero = Expr.fill(Type.f32(n, hidden), 0);
    return new State(zero, zero);
  }

  /** One step on an input x [N,inputs]. */
  public State apply(Tree<Expr> w, Expr x, State s) {
    Expr gates =
        Recurrent.affine(x, w.get("wi"), w.get("bi"))
            .add(Recurrent.affine(s.h, w.get("wh"), w.get("bh")));
    Expr i = Recurrent.gate(gates, 0, hidden).sigmoid();
    Expr f = Recurrent.gate(gates, 1, hidden).sigmoid();
    Expr g = Recurrent.gate(gates, 2, hidden).tanh();
    Expr o = Recurrent.gate(gates, 3, hidden).sigmoid();
    Expr c = f.mul(s.c).add(i.mul(g));
    return new State(o.mul(c.tanh()), c);
  }

  /** The steps of a sequence xs [T,N,inputs], unrolled. */
  public Outputs sequence(Tree<Expr> w, Expr xs, State start) {
    Expr[] all = new Expr[xs.shape().dim(0)];
    State s = start;
    for (int t = 0; t < all.length; t++) {
      s = apply(w, Recurrent.at(xs, t), s);
      all[t] = s.h;
    }
    return new Outputs(Recurrent.stack(all), s);
  }
}
