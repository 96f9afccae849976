package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Zeroth-order optimisation (Chen et al. 2017, <a href="https://arxiv.org/abs/1708.03999">arXiv
 * 1708.03999</a>): symmetric differences at random pixels, and Adam with a count of steps for each
 * pixel. The paper's penalty on the distance is here the ball itself, into which the image is moved
 * back after every step, so that all attacks are compared under one threat; its constants are
 * shares of eps. An iteration is two queries a pixel and one for the new image.
 *
 * @param estimator of the gradient
 * @param rate Adam's, a share of eps
 */
public record Zoo(Estimator.Pixels estimator, double rate) implements BlackBoxAttack {
  /**
   * 128 pixels at a distance of 1e-3 (the released 1e-4 drowns in the rounding of float32), steps
   * of eps: a pixel's first step is to the edge of the ball.
   */
  public Zoo() {
    this(new Estimator.Pixels(128, 1e-3), 1);
  }

  @Override
  public String name() {
    return "zoo";
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
