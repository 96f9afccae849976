package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import java.util.function.UnaryOperator;

/**
 * The fast gradient sign method: one step of the ball's radius from the image (Goodfellow et al.
 * 2015, <a href="https://arxiv.org/abs/1412.6572">arXiv 1412.6572</a>). With an {@link L2} ball it
 * is the fast gradient method. Ignores its key.
 */
public record Fgsm(Ball ball) implements Attack {
  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    Expr step = ball.steepest(Attack.ascent(loss, x)).mul(Radius.like(ball.radius(), x));
    return x.add(step).clamp(0, 1).stopGradient();
  }

  @Override
  public boolean beginsAtImage() {
    return true;
  }

  @Override
  public String toString() {
    return "fgsm " + ball;
  }
}
