package dev.vauban.nn;

import dev.vauban.tensor.Expr;

/** Attention (Vaswani et al. 2017). */
public final class Attention {
  private Attention() {}

  /**
   * softmax(q k' / sqrt(D)) v (eq. 1).
   *
   * @param q queries [...,Q,D]
   * @param k keys [...,K,D]
   * @param v values [...,K,E]
   * @return [...,Q,E]
   */
  public static Expr scaledDotProduct(Expr q, Expr k, Expr v) {
    int r = k.shape().rank();
    int[] swap = new int[r];
    for (int i = 0; i < r; i++) {
      swap[i] = i;
    }
    swap[r - 1] = r - 2;
    swap[r - 2] = r - 1;
    Expr scores = q.matmul(k.transpose(swap)).div(Math.sqrt(q.shape().dim(-1)));
    return Softmax.of(scores, -1).matmul(v);
  }
}
