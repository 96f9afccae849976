package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Model;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A learner with a further task for its meta-parameters themselves, before any adaptation: with a
 * contrastive loss it is R-MAML-CL (Wang et al. 2021, <a
 * href="https://arxiv.org/abs/2102.10454">arXiv 2102.10454</a>, section 4.3).
 *
 * @param base what is learned otherwise
 * @param auxiliary a loss of the meta-parameters on query images; may ignore the labels
 * @param weight of the auxiliary loss, at least 0
 */
public record WithAuxiliary(MetaLearner base, Loss auxiliary, double weight)
    implements MetaLearner {
  /** The auxiliary loss draws from the queries' key folded with this. */
  private static final int OWN_RANDOMNESS = 97;

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Batch<Expr> query = task.query().withKey(task.query().key().fold(OWN_RANDOMNESS));
    return base.taskLoss(theta, task).add(auxiliary.of(theta, query).mul(weight));
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    return base.step(theta, fast, support);
  }

  @Override
  public int steps() {
    return base.steps();
  }

  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    return base.start(theta, support);
  }

  @Override
  public Expr logits(Model model, Tree<Expr> fast, Expr x) {
    return base.logits(model, fast, x);
  }

  @Override
  public Tree<Expr> weights(Tree<Expr> fast) {
    return base.weights(fast);
  }

  @Override
  public MetaLearner at(Expr number) {
    return new WithAuxiliary(base.at(number), auxiliary, weight);
  }

  @Override
  public Tree<Type> types(Tree<Type> weights) {
    return base.types(weights);
  }

  @Override
  public Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    return base.init(weights, scope);
  }
}
