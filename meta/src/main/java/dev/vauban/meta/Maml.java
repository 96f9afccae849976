package dev.vauban.meta;

import static dev.vauban.tensor.Grad.grad;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * MAML (Finn, Abbeel, Levine 2017, <a href="https://arxiv.org/abs/1703.03400">arXiv 1703.03400</a>,
 * Algorithm 1): adapt on the support set by gradient descent, score on the query set.
 *
 * <p>The losses make the variant: with a robust outer loss this is R-MAML or adversarial querying
 * ({@link RobustLosses}); with only the head adapted it is ANIL (Raghu et al. 2020, arXiv
 * 1909.09157), with all but the head BOIL (Oh et al. 2021, arXiv 2008.08882).
 *
 * @param inner the loss that adaptation descends
 * @param outer the loss of the adapted weights
 * @param steps inner steps while training, at least 0
 * @param rate the paper's alpha
 * @param order of the meta-gradient
 * @param adapted which weights adapt; the others keep their meta-learned values
 */
public record Maml(Loss inner, Loss outer, int steps, double rate, Order order, Leaves adapted)
    implements MetaLearner {

  /** MAML that adapts every weight. */
  public Maml(Loss inner, Loss outer, int steps, double rate, Order order) {
    this(inner, outer, steps, rate, order, Leaves.ALL);
  }

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    return outer.of(adapt(theta, task.support()), task.query());
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    Tree<Expr> g = grad(w -> inner.of(w, support), fast); // line 5
    Tree<Expr> d = order == Order.FIRST ? g.map(Expr::stopGradient) : g;
    return fast.mapPaths( // line 6
        (path, w) -> adapted.contain(path) ? w.sub(d.get(path).mul(rate)) : w);
  }
}
