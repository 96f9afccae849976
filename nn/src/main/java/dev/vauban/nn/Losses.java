package dev.vauban.nn;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeException;

/**
 * Loss functions of a network's outputs. None is reduced over the batch: classification losses give
 * one value per example, {@code [N,C]} to {@code [N]}, the others one per element. Take {@code
 * .mean()} or {@code .sum()} of the result; attacks use it as it is.
 */
public final class Losses {
  private Losses() {}

  /**
   * Cross-entropy of logits against labels.
   *
   * @param logits [N,C]
   * @param target labels I32 [N] in 0..C-1, or probabilities [N,C] of the logits' type
   * @return [N]
   */
  public static Expr crossEntropy(Expr logits, Expr target) {
    Expr logp = Softmax.log(logits, -1);
    if (target.dtype() == DType.I32) {
      return pick(logp, target).neg();
    }
    return target.mul(logp).sum(-1).neg();
  }

  /**
   * Cross-entropy against smoothed labels: the label has probability 1 - smoothing + smoothing / C,
   * every other class smoothing / C.
   *
   * @param logits [N,C]
   * @param labels I32 [N]
   * @param smoothing in [0,1)
   * @return [N]
   */
  public static Expr crossEntropy(Expr logits, Expr labels, double smoothing) {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(
          "label smoothing is at least 0 and less than 1, not " + smoothing);
    }
    Expr logp = Softmax.log(logits, -1);
    return pick(logp, labels).mul(1 - smoothing).add(logp.mean(-1).mul(smoothing)).neg();
  }

  /** Element {@code labels[i]} of row i: [N,C], I32 [N] to [N]. */
  public static Expr pick(Expr rows, Expr labels) {
    if (labels.dtype() != DType.I32 || !rows.shape().without(-1).equals(labels.shape())) {
      throw new ShapeException(
          "labels are i32" + rows.shape().without(-1) + " for " + rows + ", not " + labels);
    }
    Expr mask = labels.oneHot(rows.shape().dim(-1)).cast(rows.dtype());
    // A selection, not a product: a logit of minus infinity elsewhere must not give NaN.
    return Expr.select(mask, rows, rows.zeros()).sum(-1);
  }

  /**
   * The Kullback-Leibler divergence KL(q || p) of softmax distributions: sum q (log q - log p).
   *
   * @param pLogits [N,C]
   * @param qLogits [N,C]
   * @return [N]
   */
  public static Expr kl(Expr pLogits, Expr qLogits) {
    Expr logq = Softmax.log(qLogits, -1);
    return logq.exp().mul(logq.sub(Softmax.log(pLogits, -1))).sum(-1);
  }

  /**
   * KL(target || p) for probabilities: sum t (log t - log p), with 0 log 0 = 0.
   *
   * @param logp log probabilities [N,C]
   * @param target probabilities [N,C]
   * @return [N]
   */
  public static Expr klOfProbabilities(Expr logp, Expr target) {
    Expr positive = target.gt(0);
    Expr safe = Expr.select(positive, target, target.ones());
    return Expr.select(positive, target.mul(safe.log().sub(logp)), target.zeros()).sum(-1);
  }

  /** (a - b)^2 of each element. */
  public static Expr squaredError(Expr a, Expr b) {
    return a.sub(b).square();
  }

  /** The mean of (a - b)^2 over all elements: a scalar. */
  public static Expr mse(Expr a, Expr b) {
    return squaredError(a, b).mean();
  }

  /**
   * Binary cross-entropy of logits against probabilities, each element: max(x,0) - x t + log(1 +
   * exp(-|x|)).
   */
  public static Expr binaryCrossEntropy(Expr logits, Expr target) {
    Expr tail = logits.abs().neg().exp().log1p();
    return logits.max(0).sub(logits.mul(target)).add(tail);
  }

  /**
   * Each element's error, quadratic below {@code beta} and linear above (Huber's loss over beta).
   *
   * @param beta more than 0
   */
  public static Expr smoothL1(Expr a, Expr b, double beta) {
    Expr d = a.sub(b);
    Expr size = d.abs();
    return Expr.select(size.lt(beta), d.mul(d).mul(0.5 / beta), size.sub(0.5 * beta));
  }

  /**
   * Which examples are classified right: 1 or 0.
   *
   * @param logits [N,C]
   * @param labels I32 [N]
   * @return F32 [N]; its mean is the accuracy
   */
  public static Expr correct(Expr logits, Expr labels) {
    return logits.argMax(-1).eq(labels).cast(DType.F32);
  }

  /** The share of examples that are classified right: a scalar in [0,1]. */
  public static Expr accuracy(Expr logits, Expr labels) {
    return correct(logits, labels).mean();
  }
}
