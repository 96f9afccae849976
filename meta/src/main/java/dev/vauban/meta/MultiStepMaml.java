package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.List;

/**
 * The multi-step loss of MAML++ (Antoniou, Edwards, Storkey 2019, <a
 * href="https://arxiv.org/abs/1810.09502">arXiv 1810.09502</a>, section 4, eq. 3): the query loss
 * counts after every inner step, not only after the last.
 *
 * @param maml the inner loop and the losses
 * @param importance weight of the query loss after each inner step
 */
public record MultiStepMaml(Maml maml, List<Double> importance) implements MetaLearner {
  /** Checks that there is one weight for each step. */
  public MultiStepMaml {
    importance = List.copyOf(importance);
    if (importance.size() != maml.steps()) {
      throw new IllegalArgumentException(
          maml.steps() + " inner steps need as many weights, not " + importance.size());
    }
  }

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = theta;
    Expr total = Expr.scalar(0);
    for (int k = 0; k < steps(); k++) {
      fast = step(theta, fast, Task.atStep(task.support(), k));
      total = total.add(maml.outer().of(fast, task.query()).mul(importance.get(k)));
    }
    return total;
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    return maml.step(theta, fast, support);
  }

  @Override
  public int steps() {
    return maml.steps();
  }
}
