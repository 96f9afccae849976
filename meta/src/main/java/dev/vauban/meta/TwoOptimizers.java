package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * R-MAML's outer level as its authors' code has it (Wang et al. 2021): the clean and the robust
 * loss of the adapted weights are not added; each has an Adam of its own, the second of a smaller
 * rate, that step one after the other. Both gradients are taken before the first step.
 *
 * <p>Under Adam, whose steps do not depend on the gradient's scale, the ratio of the rates takes
 * the place of gamma: 2e-4 to 1e-3 on mini-ImageNet, 1 on CIFAR-FS.
 *
 * @param maml the inner loop and the clean outer loss
 * @param robust the robust loss of the adapted weights
 */
public record TwoOptimizers(Maml maml, Loss robust) implements MetaLearner {
  /** The name of the clean loss and of its optimiser. */
  public static final String CLEAN = "clean";

  /** The name of the robust loss and of its optimiser. */
  public static final String ROBUST = "robust";

  /** The sum of both, to look at. */
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> both = taskLosses(theta, task);
    return both.get(CLEAN).add(both.get(ROBUST));
  }

  @Override
  public Tree<Expr> taskLosses(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = adapt(theta, task.support());
    return Tree.of(
        CLEAN, maml.outer().of(fast, task.query()), ROBUST, robust.of(fast, task.query()));
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
