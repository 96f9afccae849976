package dev.vauban.adversarial;

import static dev.vauban.tensor.Vmap.repeat;

import dev.vauban.tensor.Expr;
import java.util.function.UnaryOperator;

/**
 * Projected gradient ascent on any loss of the input (Madry et al. 2018, <a
 * href="https://arxiv.org/abs/1706.06083">arXiv 1706.06083</a>, section 2.1). Knows no model and no
 * label. The steps are one loop: the size of a plan does not grow with their number.
 *
 * @param ball what the attacker may do
 * @param stepSize length of a step in the ball's norm, a scalar
 * @param steps how many, at least 1
 * @param from where to begin
 */
public record Pgd(Ball ball, Expr stepSize, int steps, Start from) implements Attack {
  /** Checks the number of steps. */
  public Pgd {
    if (steps < 1) {
      throw new IllegalArgumentException("pgd needs at least 1 step, not " + steps);
    }
  }

  /** From a random start, with steps of a fixed length. */
  public Pgd(Ball ball, double stepSize, int steps) {
    this(ball, Expr.scalar(stepSize), steps, Start.RANDOM);
  }

  /** From a random start, with steps of 2.5 radii / {@code steps}: enough to cross the ball. */
  public Pgd(Ball ball, int steps) {
    this(ball, ball.radius().mul(2.5 / Math.max(steps, 1)), steps, Start.RANDOM);
  }

  /** The same attack that begins elsewhere. */
  public Pgd from(Start start) {
    return new Pgd(ball, stepSize, steps, start);
  }

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    return ascendFrom(loss, x, from.of(ball, x, key));
  }

  /** The attack from a given start: images [N,...] in [0,1] within the ball around {@code x}. */
  public Expr ascendFrom(UnaryOperator<Expr> loss, Expr x, Expr start) {
    return repeat(steps, start, adv -> ascend(loss, x, adv)).stopGradient();
  }

  private Expr ascend(UnaryOperator<Expr> loss, Expr x, Expr adv) {
    Expr step = ball.steepest(Attack.ascent(loss, adv)).mul(Radius.like(stepSize, x));
    return ball.project(adv.add(step), x).clamp(0, 1);
  }

  @Override
  public boolean beginsAtImage() {
    return from == Start.IMAGE;
  }

  @Override
  public String toString() {
    String start =
        switch (from) {
          case IMAGE -> "";
          case RANDOM -> " random start";
          case NEAR -> " start near the image";
        };
    return "pgd-" + steps + " " + ball + " step " + stepText() + start;
  }

  private String stepText() {
    Expr usual = ball.radius().mul(2.5 / steps);
    return stepSize == usual ? "2.5 eps/" + steps : Radius.text(stepSize);
  }
}
