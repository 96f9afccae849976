package dev.vauban.meta;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Loss;

/** Sums of losses: the R of robust meta-learning. */
public final class RobustLosses {
  private RobustLosses() {}

  /**
   * {@code clean + gamma * robust}, the outer (or inner) objective of R-MAML (Wang et al. 2021, <a
   * href="https://arxiv.org/abs/2102.10454">arXiv 2102.10454</a>, eq. 2): the regulariser is the
   * same loss on images attacked at the very weights it is asked for.
   *
   * <p>Deviation from the authors' code, which takes two Adam steps of different rates on the two
   * terms ({@link TwoOptimizers} does): this is the weighted sum that the paper writes. Nor is the
   * release's robust inner step kept, which starts from the meta-parameters again at a tenth of the
   * rate: as an inner loss this is descended like any other.
   *
   * @param gamma weight of the robust term, at least 0
   */
  public static Loss regularised(Loss clean, Attack attack, double gamma) {
    return sum(clean, new AdversarialTraining(attack).apply(clean), gamma);
  }

  /** {@code a + weight * b}. */
  public static Loss sum(Loss a, Loss b, double weight) {
    return (w, batch) -> a.of(w, batch).add(b.of(w, batch).mul(weight));
  }
}
