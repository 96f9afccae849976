package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Margins;
import dev.vauban.tensor.Expr;
import java.util.function.UnaryOperator;

/**
 * One perturbation for many images (Moosavi-Dezfooli et al. 2017), as something to optimise: the
 * loss of a candidate on a batch, and the set it must stay in (Zhao et al. 2020, <a
 * href="https://arxiv.org/abs/2009.13714">arXiv 2009.13714</a>):
 *
 * <pre>
 *   f(delta) = mean over (x, y) of max(z_y(x + delta) - max over j != y of z_j(x + delta), -kappa)
 *              + penalty |delta|_1 / d      subject to  |delta|_inf at most eps,  x + delta in [0,1]
 * </pre>
 *
 * <p>The L1 norm is divided by the number of pixels d, so that one penalty suits images of
 * different sizes. With kappa 0 the gradient vanishes as soon as every image is misclassified.
 *
 * @param eps bound of each pixel's change, in (0,1]
 * @param kappa by how many logits an image shall be misclassified, at least 0
 * @param penalty weight of the mean absolute change, at least 0
 */
public record UniversalPerturbation(double eps, double kappa, double penalty) {
  /** Checks the ranges. */
  public UniversalPerturbation {
    if (!(eps > 0 && eps <= 1) || !(kappa >= 0) || !(penalty >= 0)) {
      throw new IllegalArgumentException(
          "a universal perturbation has eps in (0,1], kappa and penalty of at least 0, not %s, %s, %s"
              .formatted(eps, kappa, penalty));
    }
  }

  /** Every image of {@code x} [N,H,W,C] with {@code delta} [H,W,C], in [0,1]. */
  public Expr applied(Expr x, Expr delta) {
    return x.add(delta).clamp(0, 1);
  }

  /** {@code delta} within the bound; the box is kept by {@link #applied}, image by image. */
  public Expr project(Expr delta) {
    return delta.clamp(-eps, eps);
  }

  /**
   * The loss f of {@code delta}, a scalar.
   *
   * @param logits of the victim: images [N,H,W,C] to [N,classes]
   * @param batch images [N,H,W,C] and their labels I32 [N]
   */
  public Expr loss(UnaryOperator<Expr> logits, Expr delta, Batch<Expr> batch) {
    Expr margin = Margins.margin(logits.apply(applied(batch.x(), delta)), batch.y());
    Expr fooled = margin.neg().max(-kappa).mean();
    return penalty == 0 ? fooled : fooled.add(delta.abs().mean().mul(penalty));
  }

  /** The share of images that the victim misclassifies, 0 to 1. */
  public Expr success(UnaryOperator<Expr> logits, Expr delta, Batch<Expr> batch) {
    return Losses.accuracy(logits.apply(applied(batch.x(), delta)), batch.y()).rsub(1);
  }
}
