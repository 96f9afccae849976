package dev.vauban.meta.generator;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Losses;
import dev.vauban.nn.TrainingStep.Slope;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Tree;

/**
 * Stage 1 (Yin et al. 2023, section 3.3): the likelihood of what a white-box attack does to the
 * surrogates. The attack's change of each pixel counts by its sign alone; a pixel that it left as
 * it was, for example a black one on a black ground, teaches nothing (the released code takes it
 * for a 0).
 *
 * <p>The likelihood is bounded from below with a posterior of the latents (Kingma and Welling 2014,
 * eq. 3); both terms are divided by the number of pixels.
 *
 * @param generator whom it is for
 * @param surrogates whom the attack attacks
 * @param attack what is imitated, for example 30 steps of momentum FGSM
 * @param eps its radius in Linf
 */
public record Imitation(Generator generator, Surrogates surrogates, Attack attack, double eps)
    implements Lesson {
  /** Checks the radius. */
  public Imitation {
    new Linf(eps);
  }

  @Override
  public Slope slope(Tree<Expr> weights, Tree<Expr> surrogate, Batch<Expr> batch) {
    Expr x = batch.x();
    Expr key = batch.key();
    Expr adv =
        attack.perturb(a -> surrogates.crossEntropy(surrogate, a, batch.y()), x, key.fold(0));
    Expr change = adv.sub(x).sign().stopGradient();
    Expr moved = change.abs();
    Expr plus = change.add(1).mul(0.5);
    Grad.Extended g =
        Grad.extended(
            w -> {
              Generator.Posterior posterior = generator.posterior(w, x, change);
              Expr logits = generator.signs(w, x, posterior.draw(key.fold(1)));
              Expr surprise = Losses.binaryCrossEntropy(logits, plus).mul(moved).sum(1, 2, 3);
              Expr divergence = posterior.divergence();
              Expr loss = surprise.add(divergence).mean().div(generator.image().size());
              return new Grad.Outcome(
                  loss, figures(w, surrogate, batch, change, moved, divergence));
            },
            weights);
    return new Slope(g.gradient(), g.extras().with("loss", g.value()));
  }

  private Tree<Expr> figures(
      Tree<Expr> w,
      Tree<Expr> surrogate,
      Batch<Expr> batch,
      Expr change,
      Expr moved,
      Expr divergence) {
    Expr guess = generator.signs(w, batch.x(), Lesson.middle(generator, batch.x())).sign();
    Expr alike = guess.mul(change).add(1).mul(0.5).mul(moved).sum().div(moved.sum().max(1));
    Expr adv = Lesson.changed(batch.x(), guess, eps);
    return Tree.of(
        "fooled", surrogates.fooled(surrogate, adv, batch.y()).mean(),
        "alike", alike,
        "divergence", divergence.mean());
  }
}
