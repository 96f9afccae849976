package dev.vauban.nn;

import dev.vauban.tensor.Expr;

/** Classification by the nearest class mean (Snell et al. 2017, "Prototypical networks"). */
public final class Prototypes {
  private Prototypes() {}

  /**
   * The mean embedding of each class; zeros for a class without examples.
   *
   * @param z support embeddings [N,D]
   * @param labels I32 [N] in 0..ways-1
   * @return [ways,D]
   */
  public static Expr of(Expr z, Expr labels, int ways) {
    Expr member = labels.oneHot(ways).cast(z.dtype());
    Expr sums = member.transpose().matmul(z);
    return sums.div(member.sum(0).max(1).keep(sums.shape(), 1));
  }

  /**
   * Logits: minus the squared Euclidean distance to each prototype, unscaled.
   *
   * @param z query embeddings [N,D]
   * @param prototypes [ways,D]
   * @return [N,ways]
   */
  public static Expr logits(Expr z, Expr prototypes) {
    return Similarity.squaredDistances(z, prototypes).neg();
  }
}
