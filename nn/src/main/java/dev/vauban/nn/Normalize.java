package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import java.util.stream.IntStream;

/**
 * Normalisation as functions of arrays: subtract a mean, divide by a standard deviation, then scale
 * and shift. Variances have divisor n; {@code eps} is added to them. Channels are the last axis.
 */
public final class Normalize {
  /** What every layer of this package adds to a variance. */
  public static final double EPS = 1e-5;

  private Normalize() {}

  /**
   * Batch normalisation with the batch's own statistics: over all axes but the last.
   *
   * @param x [N,...,C]
   * @param scale [C]
   * @param shift [C]
   */
  public static Expr batch(Expr x, Expr scale, Expr shift, double eps) {
    int[] axes = IntStream.range(0, x.shape().rank() - 1).toArray();
    return batch(x, x.mean(axes), x.variance(axes), scale, shift, eps);
  }

  /** Batch normalisation with given statistics, [C] each, as in evaluation. */
  public static Expr batch(Expr x, Expr mean, Expr variance, Expr scale, Expr shift, double eps) {
    return x.sub(mean).mul(variance.add(eps).rsqrt().mul(scale)).add(shift);
  }

  /**
   * A running statistic after one more batch: {@code (1 - momentum) old + momentum new}.
   *
   * @param momentum weight of the new value, in (0,1]
   */
  public static Expr running(Expr old, Expr fresh, double momentum) {
    return old.mul(1 - momentum).add(fresh.mul(momentum));
  }

  /** The mean over all axes but the last, [C]: what running means collect. */
  public static Expr batchMean(Expr x) {
    return x.mean(IntStream.range(0, x.shape().rank() - 1).toArray());
  }

  /** The variance with divisor n-1 over all axes but the last, [C]: for running variances. */
  public static Expr batchVariance(Expr x) {
    double n = (double) x.shape().size() / x.shape().dim(-1);
    if (n < 2) {
      throw new ShapeException("batchVariance: needs 2 values a channel, not " + (long) n);
    }
    return x.variance(IntStream.range(0, x.shape().rank() - 1).toArray()).mul(n / (n - 1));
  }

  /**
   * Layer normalisation over the last axes, as many as {@code scale} has (Ba et al. 2016).
   *
   * @param x [..., D...]
   * @param scale [D...]
   * @param shift [D...]
   */
  public static Expr layer(Expr x, Expr scale, Expr shift, double eps) {
    int r = x.shape().rank();
    int[] axes = IntStream.range(r - scale.shape().rank(), r).toArray();
    Expr centred = x.sub(x.mean(axes).keep(x.shape(), axes));
    Expr inverse = x.variance(axes).add(eps).rsqrt().keep(x.shape(), axes);
    return centred.mul(inverse).mul(scale).add(shift);
  }

  /**
   * Group normalisation: each example's channels in {@code groups} groups (Wu and He 2018). With as
   * many groups as channels it is instance normalisation.
   *
   * @param x [N,...,C]
   * @param groups divides C
   * @param scale [C]
   * @param shift [C]
   */
  public static Expr group(Expr x, int groups, Expr scale, Expr shift, double eps) {
    Shape s = x.shape();
    int c = s.dim(-1);
    if (groups < 1 || c % groups != 0) {
      throw new ShapeException("group norm: " + c + " channels in " + groups + " groups");
    }
    int positions = (int) (s.size() / Math.max(1, (long) s.dim(0) * c));
    Expr g = x.reshape(s.dim(0), positions, groups, c / groups);
    Expr centred = g.sub(g.mean(1, 3).keep(g.shape(), 1, 3));
    Expr inverse = g.variance(1, 3).add(eps).rsqrt().keep(g.shape(), 1, 3);
    return centred.mul(inverse).reshape(s).mul(scale).add(shift);
  }

  /** Instance normalisation: each channel of each example on its own. */
  public static Expr instance(Expr x, Expr scale, Expr shift, double eps) {
    return group(x, x.shape().dim(-1), scale, shift, eps);
  }
}
