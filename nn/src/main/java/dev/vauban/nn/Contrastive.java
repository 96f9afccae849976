package dev.vauban.nn;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Type;

/** Losses that pull embeddings of the same thing together. Each gives one value per anchor. */
public final class Contrastive {
  /** A logit that no softmax notices and that stays finite in every element type. */
  private static final double MASKED = -1e30;

  private Contrastive() {}

  /**
   * NT-Xent (Chen et al. 2020, SimCLR, eq. 1): rows i and i + N are two views of one example, all
   * other rows are negatives, similarities are cosines.
   *
   * @param z embeddings [2N,D]
   * @param temperature more than 0
   * @return [2N]
   */
  public static Expr ntXent(Expr z, double temperature) {
    int rows = z.shape().dim(0);
    if (rows % 2 != 0) {
      throw new ShapeException("ntXent: needs an even number of rows, not " + rows);
    }
    Expr logits = logits(z, temperature);
    double[] partner = new double[rows];
    for (int i = 0; i < rows; i++) {
      partner[i] = (i + rows / 2) % rows;
    }
    return Losses.crossEntropy(logits, Expr.data(Type.i32(rows), partner));
  }

  /**
   * Supervised contrastive loss, L_out (Khosla et al. 2020, eq. 2): rows with the same label are
   * positives; similarities are cosines. A row that is alone in its class gives 0.
   *
   * @param z embeddings [N,D]
   * @param labels I32 [N]
   * @param temperature more than 0
   * @return [N]
   */
  public static Expr supCon(Expr z, Expr labels, double temperature) {
    int n = z.shape().dim(0);
    Expr logp = Softmax.log(logits(z, temperature), -1);
    Expr same = labels.reshape(n, 1).eq(labels.reshape(1, n)).cast(z.dtype());
    Expr positive = same.mul(diagonal(n, z.dtype()).rsub(1));
    Expr sum = Expr.select(positive, logp, logp.zeros()).sum(-1);
    return sum.div(positive.sum(-1).max(1)).neg();
  }

  /** Cosines of all pairs over the temperature, with a row's similarity to itself masked. */
  private static Expr logits(Expr z, double temperature) {
    Expr unit = Similarity.normalize(z);
    Expr s = Similarity.dots(unit, unit).div(temperature);
    return Expr.select(diagonal(z.shape().dim(0), z.dtype()), Expr.fill(s.type(), MASKED), s);
  }

  private static Expr diagonal(int n, DType dtype) {
    Type t = Type.i32(n, n);
    return Expr.iota(t, 0).eq(Expr.iota(t, 1)).cast(dtype);
  }
}
