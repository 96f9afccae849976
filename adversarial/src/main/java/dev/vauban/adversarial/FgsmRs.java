package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import java.util.function.UnaryOperator;

/**
 * FGSM from a random start, the training attack of "Fast is better than free" (Wong, Rice, Kolter
 * 2020, <a href="https://arxiv.org/abs/2001.03994">arXiv 2001.03994</a>) and of R-MAML: start
 * uniformly in the ball, one step of 1.25 radii, project, clip.
 *
 * <p>Deviation from the code released with R-MAML: the start is clipped to [0,1] first and the loss
 * differentiated at the clipped image. The release differentiates through the clip, so pixels whose
 * start leaves [0,1] (half of all pixels of black-and-white images) get no gradient and stay.
 */
public record FgsmRs(Ball ball) implements Attack {
  private static final double STEP = 1.25;

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    Expr start = ball.start(x, key).clamp(0, 1);
    Expr step = ball.steepest(Attack.ascent(loss, start)).mul(STEP);
    Expr adv = start.add(step.mul(Radius.like(ball.radius(), x)));
    return ball.project(adv, x).clamp(0, 1).stopGradient();
  }

  @Override
  public String toString() {
    return "fgsm-rs " + ball + " step 1.25 eps";
  }
}
