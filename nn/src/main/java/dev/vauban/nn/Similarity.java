package dev.vauban.nn;

import dev.vauban.tensor.Expr;

/** Similarities and distances of vectors along the last axis. */
public final class Similarity {
  private Similarity() {}

  /** The dot product over the product of norms, each at least 1e-8: [..., D] twice to [...]. */
  public static Expr cosine(Expr a, Expr b) {
    Expr norms = norm(a).max(1e-8).mul(norm(b).max(1e-8));
    return a.mul(b).sum(-1).div(norms);
  }

  /** Vectors of length 1: each divided by its norm, which counts at least 1e-12. */
  public static Expr normalize(Expr a) {
    return a.div(norm(a).max(1e-12).keep(a.shape(), -1));
  }

  /** The Euclidean norm along the last axis; its gradient at 0 is 0. */
  public static Expr norm(Expr a) {
    Expr s = a.square().sum(-1);
    Expr zero = s.eq(0);
    // sqrt has an infinite slope at 0; take it elsewhere and choose 0 there.
    Expr root = Expr.select(zero, s.ones(), s).sqrt();
    return Expr.select(zero, s.zeros(), root);
  }

  /** Squared Euclidean distances of all pairs: [N,D] and [M,D] to [N,M]. */
  public static Expr squaredDistances(Expr a, Expr b) {
    // Differences, not |a|^2 + |b|^2 - 2ab: no cancellation, and never negative.
    int n = a.shape().dim(0);
    int m = b.shape().dim(0);
    int d = a.shape().dim(1);
    return a.reshape(n, 1, d).sub(b.reshape(1, m, d)).square().sum(-1);
  }

  /** Dot products of all pairs: [N,D] and [M,D] to [N,M]. */
  public static Expr dots(Expr a, Expr b) {
    return a.matmul(b.transpose());
  }
}
