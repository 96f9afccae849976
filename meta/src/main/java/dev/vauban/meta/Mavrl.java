package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Trades;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Contrastive;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * MAVRL (Kim, Ha, Lee, Hwang 2022, "Learning transferable adversarial robust representations via
 * multi-view consistency", <a href="https://arxiv.org/abs/2210.10485">arXiv 2210.10485</a>): two
 * augmented views of the support set make two adapted encoders, a label-free attack drives the
 * encoders' features of two views of each query apart, and the outer loss asks them to agree.
 *
 * <p>This is a reconstruction: the abstracts fix the idea, and there is no released code. What was
 * chosen here:
 *
 * <ul>
 *   <li>A task's two views of an image are two draws of one augmentation, kept for all inner steps;
 *       the inner loss is the clean cross-entropy of each view.
 *   <li>Agreement is NT-Xent over the 2N features, the two views of a query being each other's
 *       positive, as in RoCL's instance discrimination; temperature 0.5.
 *   <li>The attack maximises that same loss over both views at once, within one ball each. How it
 *       climbs is the caller's choice: {@link MetaLearners} takes that of all robust methods, one
 *       step of FGSM-RS; RoCL takes 7 steps of PGD.
 *   <li>The outer loss adds, for each encoder, the cross-entropy of its clean view and lambda times
 *       the divergence of its clean and attacked predictions (TRADES); then the agreement of the
 *       attacked views with a weight. No penalty on the distance of the two encoders' weights.
 * </ul>
 *
 * <p>At test time it is MAML: one encoder, clean support images, no views.
 *
 * @param model the network; its features are the embedding
 * @param maml the inner loop; its outer loss is not used
 * @param views makes views
 * @param attack maximises the disagreement
 * @param temperature of the agreement, above 0
 * @param lambda weight of the divergence of predictions, at least 0
 * @param agreement weight of the agreement, at least 0
 */
public record Mavrl(
    Model model,
    Maml maml,
    Augmentation views,
    Attack attack,
    double temperature,
    double lambda,
    double agreement)
    implements MetaLearner {
  private static final int VIEWS = 71;
  private static final int ATTACK = 72;

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Batch<Expr> query = task.query();
    Expr total = Expr.scalar(0);
    Expr[] seen = new Expr[2];
    List<Tree<Expr>> encoders = new ArrayList<>();
    for (int j = 0; j < 2; j++) {
      seen[j] = view(query, j).x();
      encoders.add(adapt(theta, view(task.support(), j)));
    }
    Expr both = Expr.concat(0, seen[0], seen[1]);
    Expr adv = attack.perturb(z -> disagreement(encoders, z), both, query.key().fold(ATTACK));
    for (int j = 0; j < 2; j++) {
      Tree<Expr> w = encoders.get(j);
      Expr clean = model.logits(w, seen[j]);
      Expr attacked = model.logits(w, half(adv, j));
      Expr divergence = Trades.divergence(clean, attacked).mean().mul(lambda);
      total = total.add(Losses.crossEntropy(clean, query.y()).mean()).add(divergence);
    }
    return total.add(disagreement(encoders, adv).mean().mul(agreement));
  }

  private Batch<Expr> view(Batch<Expr> batch, int j) {
    return batch.withX(views.apply(batch.x(), batch.key().fold(VIEWS).fold(j)));
  }

  private static Expr half(Expr both, int j) {
    int n = both.shape().dim(0) / 2;
    return both.slice(0, j * n, (j + 1) * n);
  }

  /** NT-Xent of the features of the first half by encoder 1 and of the second by encoder 2. */
  private Expr disagreement(List<Tree<Expr>> encoders, Expr both) {
    Expr[] z = new Expr[2];
    for (int j = 0; j < 2; j++) {
      Expr f = model.features(encoders.get(j), half(both, j));
      z[j] = f.reshape(f.shape().dim(0), -1);
    }
    return Contrastive.ntXent(Expr.concat(0, z[0], z[1]), temperature);
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
