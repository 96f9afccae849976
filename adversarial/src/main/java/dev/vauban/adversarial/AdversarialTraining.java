package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * Adversarial training (Madry et al. 2018, <a href="https://arxiv.org/abs/1706.06083">arXiv
 * 1706.06083</a>, eq. 2.1): the loss of the images that the attack makes worst for these very
 * weights. The attack has no gradient, so the weights' gradient is that of the loss at fixed
 * adversarial images (Danskin's theorem).
 *
 * <p>The attack's randomness is the batch's key.
 */
public record AdversarialTraining(Attack attack) implements Defence {
  @Override
  public Loss apply(Loss loss) {
    return (w, batch) -> loss.of(w, batch.withX(images(loss, w, batch)));
  }

  /**
   * The adversarial images for these weights.
   *
   * @return [N,...], of the shape of {@code batch.x()}
   * @throws IllegalStateException if the batch has no key
   */
  public Expr images(Loss loss, Tree<Expr> w, Batch<Expr> batch) {
    return attack.perturb(x -> loss.of(w, batch.withX(x)), batch.x(), batch.key());
  }

  @Override
  public String toString() {
    return "adversarial training, " + attack;
  }
}
