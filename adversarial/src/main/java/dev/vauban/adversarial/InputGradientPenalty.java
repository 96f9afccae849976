package dev.vauban.adversarial;

import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;

/**
 * Input gradient regularisation (Ross and Doshi-Velez 2018, <a
 * href="https://arxiv.org/abs/1711.09404">arXiv 1711.09404</a>, eq. 3, with the loss of the label):
 * the loss plus a weight times the squared length of its gradient with respect to the images. Its
 * own gradient is of second order.
 *
 * @param weight at least 0
 */
public record InputGradientPenalty(double weight) implements Defence {
  @Override
  public Loss apply(Loss loss) {
    return (w, batch) -> {
      Expr slope = Attack.ascent(x -> loss.of(w, batch.withX(x)), batch.x());
      return loss.of(w, batch).add(slope.square().sum().mul(weight));
    };
  }
}
