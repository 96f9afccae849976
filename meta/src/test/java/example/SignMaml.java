package example;

import static dev.vauban.tensor.Grad.grad;

import dev.vauban.meta.MetaLearner;
import dev.vauban.meta.Task;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/** MAML whose inner step follows the gradient's sign alone. */
public record SignMaml(Loss loss, int steps, double rate) implements MetaLearner {
  /** The loss of the queries after adaptation: what meta-training descends. */
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    return loss.of(adapt(theta, task.support()), task.query());
  }

  /** One step of adaptation. */
  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    Tree<Expr> g = grad(w -> loss.of(w, support), fast);
    return fast.zip(g, (w, d) -> w.sub(d.sign().mul(rate)));
  }
}
