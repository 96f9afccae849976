package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Vmap;
import java.util.function.UnaryOperator;

/**
 * Momentum iterative FGSM (Dong et al. 2018, <a href="https://arxiv.org/abs/1710.06081">arXiv
 * 1710.06081</a>, Algorithm 1): the sign of a decaying sum of normalised gradients, which transfers
 * better between models than plain ascent.
 *
 * <p>Gradients are divided by their mean absolute value per image, as in the authors' code; the
 * paper writes the sum. The two differ by a constant, which the sign removes.
 *
 * @param ball what the attacker may do
 * @param stepSize length of a step, a scalar; the paper's is radius / steps
 * @param steps how many, at least 1
 * @param decay weight of the past, the paper's mu; 0 forgets it
 */
public record MiFgsm(Ball ball, Expr stepSize, int steps, double decay) implements Attack {
  /** Checks the number of steps and the decay. */
  public MiFgsm {
    if (steps < 1 || !(decay >= 0)) {
      throw new IllegalArgumentException(
          "mi-fgsm needs at least 1 step and a decay of at least 0, not " + steps + ", " + decay);
    }
  }

  /** The paper's settings: steps of radius / {@code steps}, decay 1. */
  public MiFgsm(Ball ball, int steps) {
    this(ball, ball.radius().mul(1.0 / Math.max(steps, 1)), steps, 1);
  }

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    Tree<Expr> state = Tree.of("adv", x, "momentum", x.zeros());
    return Vmap.repeat(steps, state, (i, s) -> ascend(loss, x, s)).get("adv").stopGradient();
  }

  private Tree<Expr> ascend(UnaryOperator<Expr> loss, Expr x, Tree<Expr> state) {
    Expr adv = state.get("adv");
    Expr gradient = normalised(Attack.ascent(loss, adv));
    Expr momentum = state.get("momentum").mul(decay).add(gradient); // line 6 of Algorithm 1
    Expr step = ball.steepest(momentum).mul(Radius.like(stepSize, x));
    return Tree.of("adv", ball.project(adv.add(step), x).clamp(0, 1), "momentum", momentum);
  }

  private static Expr normalised(Expr g) {
    // The floor keeps a zero gradient zero; it is far below any gradient that f32 resolves.
    return g.div(PerImage.meanAbs(g).max(1e-30));
  }

  @Override
  public boolean beginsAtImage() {
    return true;
  }

  @Override
  public String toString() {
    return "mi-fgsm-" + steps + " " + ball + " step " + Radius.text(stepSize) + " decay " + decay;
  }
}
