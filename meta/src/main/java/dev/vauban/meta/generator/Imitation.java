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
    Expr adv =
        attack.perturb(a -> surrogates.crossEntropy(surrogate, a, batch.y()), x, batch.key());
    Expr change = adv.sub(x).sign().stopGradient();
    Expr moved = change.abs();
    Expr plus = change.add(1).mul(0.5);
    Grad.Extended g =
        Grad.extended(
            w -> {
              Expr logits = generator.signs(w, x);
              Expr surprise = Losses.binaryCrossEntropy(logits, plus).mul(moved).sum(1, 2, 3);
              Expr guess = logits.sign();
              Expr alike = guess.mul(change).add(1).mul(0.5).mul(moved).sum();
              Expr own = Lesson.changed(x, guess, eps);
              return new Grad.Outcome(
                  surprise.mean().div(generator.image().size()),
                  Tree.of(
                      "fooled", surrogates.fooled(surrogate, own, batch.y()).mean(),
                      "alike", alike.div(moved.sum().max(1))));
            },
            weights);
    return new Slope(g.gradient(), g.extras().with("loss", g.value()));
  }
}
