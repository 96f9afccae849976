package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * ADML (Yin, Tang, Xu, Wang 2018, <a href="https://arxiv.org/abs/1806.03316">arXiv 1806.03316</a>):
 * two arms with crossed losses. One adapts on the clean support set and is scored on attacked
 * queries, the other adapts on the attacked support set (attacked anew at every inner step) and is
 * scored on clean queries.
 *
 * <p>Deviation: the paper's Algorithm 1 updates theta arm after arm; here, as in the
 * re-implementation that accompanies adversarial querying, both arms' losses are averaged.
 *
 * @param clean the loss of clean images
 * @param robust the loss of images attacked at the weights at hand
 * @param steps inner steps
 * @param rate inner step size
 * @param order of the meta-gradient
 */
public record Adml(Loss clean, Loss robust, int steps, double rate, Order order)
    implements MetaLearner {
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Expr natural = new Maml(clean, robust, steps, rate, order).taskLoss(theta, task);
    Expr adversarial = new Maml(robust, clean, steps, rate, order).taskLoss(theta, task);
    return natural.add(adversarial).mul(0.5);
  }

  /** A step of the clean arm. */
  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    return new Maml(clean, robust, steps, rate, order).step(theta, fast, support);
  }
}
