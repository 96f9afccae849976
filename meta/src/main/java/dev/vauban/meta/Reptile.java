package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * Reptile (Nichol, Achiam, Schulman 2018, <a href="https://arxiv.org/abs/1803.02999">arXiv
 * 1803.02999</a>, Algorithm 1): move theta towards the adapted weights phi. Written as a loss, half
 * the squared distance to fixed phi, whose gradient is the paper's theta - phi. Uses no query set.
 *
 * <p>Deviations from the authors' code: adaptation is gradient descent on the whole support set,
 * not Adam (without first moment) on small batches of a larger one (10 training shots for 1-shot
 * tests); and the meta-step is the trainer's optimiser on that gradient, not a plain step whose
 * length falls to 0.
 *
 * @param inner the loss that adaptation descends
 * @param steps inner steps, the paper's k
 * @param rate inner step size
 */
public record Reptile(Loss inner, int steps, double rate) implements MetaLearner {
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> phi = adapt(theta, task.support()).map(Expr::stopGradient);
    Expr total = Expr.scalar(0);
    for (Expr distance : theta.zip(phi, (t, p) -> t.sub(p).square().sum()).leaves()) {
      total = total.add(distance);
    }
    return total.mul(0.5);
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    return new Maml(inner, inner, steps, rate, Order.FIRST).step(theta, fast, support);
  }
}
