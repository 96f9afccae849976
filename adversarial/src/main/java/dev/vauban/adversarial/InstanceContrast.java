package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Contrastive;
import dev.vauban.nn.Loss;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.function.BinaryOperator;

/**
 * Robust contrastive learning without labels: RoCL (Kim, Tack, Hwang 2020, <a
 * href="https://arxiv.org/abs/2006.07589">arXiv 2006.07589</a>, Algorithm 1). Two views of an image
 * and an attacked view are each other's positives, all other images negatives. The attack is on the
 * instance: it moves the first view so that it is no longer recognised as the second (eq. 3).
 *
 * <p>The loss is the contrastive loss of all three views (each anchor's mean over its two
 * positives) plus {@code lambda} times that of attacked and second view alone (eq. 4, 5).
 * Deviations from the authors' code: similarities have no stopped gradient, and features are
 * compared as they are, without a projection head.
 *
 * @param features weights and images [N,H,W,C] to features [N,D]
 * @param views makes views
 * @param attack maximises the instance's loss
 * @param temperature of the similarities, above 0; 0.5 in the paper
 * @param lambda weight of the second term; 1/256 in the paper
 */
public record InstanceContrast(
    Features features, Augmentation views, Attack attack, double temperature, double lambda)
    implements Loss {
  /** An encoder: weights and images to features. */
  @FunctionalInterface
  public interface Features {
    /**
     * The features.
     *
     * @param weights the encoder's
     * @param x images [N,H,W,C]
     * @return [N,D]
     */
    Expr of(Tree<Expr> weights, Expr x);
  }

  /** The loss; the batch's labels have no part in it. */
  @Override
  public Expr of(Tree<Expr> w, Batch<Expr> batch) {
    Expr key = batch.key();
    Expr first = views.apply(batch.x(), key.fold(0));
    Expr second = views.apply(batch.x(), key.fold(1));
    Expr target = features.of(w, second);
    BinaryOperator<Expr> pair = (a, b) -> Contrastive.ntXent(Expr.concat(0, a, b), temperature);
    Expr adv =
        attack.perturb(x -> pair.apply(features.of(w, x), target).mean(), first, key.fold(2));
    Expr z = features.of(w, first);
    Expr attacked = features.of(w, adv);
    int n = z.shape().dim(0);
    Expr instance = Expr.iota(Type.i32(3, n), 1).reshape(Shape.of(3 * n));
    Expr all =
        Contrastive.supCon(Expr.concat(0, z, target, attacked), instance, temperature).mean();
    return all.add(pair.apply(attacked, target).mean().mul(lambda));
  }
}
