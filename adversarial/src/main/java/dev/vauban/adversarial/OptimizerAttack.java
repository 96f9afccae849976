package dev.vauban.adversarial;

import dev.vauban.nn.Optimizer;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Vmap;
import java.util.function.UnaryOperator;

/**
 * Projected ascent by any optimiser: {@link Pgd} with another update rule, for example Adam or a
 * learned one ({@link dev.vauban.nn.LearnedOptimizer}). The optimiser descends the negated loss;
 * its state lives as long as the attack. The steps are one loop.
 *
 * @param ball what the attacker may do
 * @param rule how the images move; a step is as long as the rule says, in units of pixels
 * @param steps how many, at least 1
 * @param from where to begin
 */
public record OptimizerAttack(Ball ball, Optimizer rule, int steps, Start from) implements Attack {
  /** Checks the number of steps. */
  public OptimizerAttack {
    if (steps < 1) {
      throw new IllegalArgumentException("an attack needs at least 1 step, not " + steps);
    }
  }

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    Tree<Expr> images = Tree.of("adv", from.of(ball, x, key));
    Tree<Expr> start = Tree.<Expr>empty().with("images", images).with("state", rule.init(images));
    return Vmap.repeat(steps, start, (number, at) -> step(loss, x, number, at))
        .get("images/adv")
        .stopGradient();
  }

  private Tree<Expr> step(UnaryOperator<Expr> loss, Expr x, Expr number, Tree<Expr> at) {
    Tree<Expr> images = at.sub("images");
    Tree<Expr> descent = images.map(adv -> Attack.ascent(loss, adv).neg());
    Optimizer.Update u = rule.update(images, descent, at.sub("state"), number);
    return Tree.<Expr>empty()
        .with("images", u.weights().map(adv -> ball.project(adv, x).clamp(0, 1)))
        .with("state", u.state());
  }

  @Override
  public boolean beginsAtImage() {
    return from == Start.IMAGE;
  }

  @Override
  public String toString() {
    return "%d steps of %s in %s".formatted(steps, rule, ball);
  }
}
