package dev.vauban.tensor;

import java.util.List;

/** NumPy's matrix product in terms of a contraction. */
final class MatrixProduct {
  private MatrixProduct() {}

  static Expr of(Expr a, Expr b) {
    int ra = a.shape().rank();
    int rb = b.shape().rank();
    if (ra == 0 || rb == 0) {
      throw Errors.shapes("matmul", "scalars have no inner dimension", List.of(a, b));
    }
    int k = a.shape().dim(-1);
    int kb = b.shape().dim(rb == 1 ? 0 : -2);
    if (k != kb) {
      throw Errors.shapes("matmul", "inner dimensions differ, " + k + " ≠ " + kb, List.of(a, b));
    }
    if (rb <= 2) {
      return a.contract(b, new int[0], new int[0], new int[] {ra - 1}, new int[] {0});
    }
    if (ra == 1) {
      return of(a.reshape(1, k), b).reshape(b.shape().without(-2));
    }
    // Broadcast the leading axes, then contract with all of them as batch axes.
    int lead = Math.max(ra, rb) - 2;
    int[] d = new int[lead];
    for (int i = 0; i < lead; i++) {
      int x = leading(a, lead - i);
      int y = leading(b, lead - i);
      if (x != y && x != 1 && y != 1) {
        throw Errors.shapes("matmul", "leading dimensions differ", List.of(a, b));
      }
      d[i] = x == 1 ? y : x;
    }
    Expr left = a.broadcastTo(withMatrix(d, a));
    Expr right = b.broadcastTo(withMatrix(d, b));
    int[] batch = Axes.array(Axes.range(0, lead));
    return left.contract(right, batch, batch, new int[] {lead + 1}, new int[] {lead});
  }

  private static int leading(Expr e, int fromMatrix) {
    int i = e.shape().rank() - 2 - fromMatrix;
    return i < 0 ? 1 : e.shape().dim(i);
  }

  private static Shape withMatrix(int[] lead, Expr e) {
    Shape s = Shape.of(lead);
    s = s.insert(s.rank(), e.shape().dim(-2));
    return s.insert(s.rank(), e.shape().dim(-1));
  }
}
