package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Simultaneous perturbation (Uesato et al. 2018, <a href="https://arxiv.org/abs/1802.05666">arXiv
 * 1802.05666</a>): the margin's gradient estimated from random signs, descended by Adam on the
 * change of the image, which is moved back into the ball after every step. An iteration is two
 * queries a pair and one for the new image.
 *
 * @param estimator of the gradient
 * @param rate Adam's, a share of eps
 */
public record Spsa(Estimator estimator, double rate) implements BlackBoxAttack {
  /** 128 pairs at a distance of 0.01, and steps of 0.2 eps. */
  public Spsa() {
    this(new Estimator.TwoSided(Estimator.Directions.SIGNS, 128, 0.01), 0.2);
  }

  @Override
  public String name() {
    return "spsa";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.SCORES;
  }

  @Override
  public void attack(Target target, Key key) {
    Adam.descend(target, key, estimator, rate);
  }
}
