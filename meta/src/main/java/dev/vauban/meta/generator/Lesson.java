package dev.vauban.meta.generator;

import dev.vauban.nn.Batch;
import dev.vauban.nn.TrainingStep.Slope;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/** One stage of a generator's training: what a batch of images teaches it. */
public interface Lesson {
  /** Whom it is for. */
  Generator generator();

  /** Whom it attacks. */
  Surrogates surrogates();

  /**
   * The gradient.
   *
   * @param weights the generator's
   * @param surrogates their weights
   * @param batch images [N,H,W,C] in [0,1], labels I32 [N], and a key
   * @return with the metrics {@code loss} and {@code fooled}: the share of the batch that the
   *     generator's most likely change fools the surrogates on
   */
  Slope slope(Tree<Expr> weights, Tree<Expr> surrogates, Batch<Expr> batch);

  /** The image changed by {@code change}, in [0,1]. */
  static Expr changed(Expr x, Expr change, double eps) {
    return x.add(change.mul(eps)).clamp(0, 1);
  }
}
