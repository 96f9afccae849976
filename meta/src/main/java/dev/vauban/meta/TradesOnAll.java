package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Classifier;
import dev.vauban.adversarial.Divergence;
import dev.vauban.nn.Batch;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * R-MAML's TRADES regulariser with unlabeled data (Wang et al. 2021, <a
 * href="https://arxiv.org/abs/2102.10454">arXiv 2102.10454</a>, section 4.2): the divergence of
 * clean and attacked predictions needs no labels, so it is taken over support, query and unlabeled
 * images together, {@code outer loss(query) + beta / |X| sum over X of KL(p(x) || p(x'))}.
 *
 * <p>As in the release, X is one batch (and so one batch norm), the attack maximises the same
 * divergence, and the gradient flows through both of its arguments. beta there is 3 on
 * mini-ImageNet, 2.5 on CIFAR-FS, 5 on Omniglot. Deviations: the release differentiates the attack
 * through a clip (see {@link dev.vauban.adversarial.FgsmRs}); its unlabeled images come from chosen
 * classes of other data, here from all training images.
 *
 * @param maml the inner loop, and the outer loss of labelled queries
 * @param net the network
 * @param attack maximises the divergence from a start that is not the image itself
 * @param beta weight of the divergence
 */
public record TradesOnAll(Maml maml, Classifier net, Attack attack, double beta)
    implements MetaLearner {
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = adapt(theta, task.support());
    List<Expr> all = new ArrayList<>(List.of(task.support().x(), task.query().x()));
    if (task.unlabeled() != null) {
      all.add(task.unlabeled());
    }
    Expr x = Expr.concat(0, all.toArray(Expr[]::new));
    Expr robust = Divergence.mean(net, attack, fast, x, task.query().key());
    return maml.outer().of(fast, task.query()).add(robust.mul(beta));
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
