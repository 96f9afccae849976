package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Zeroth-order sign descent (Liu et al. 2019, "signSGD via zeroth-order oracle"): differences to
 * one side along directions of the unit sphere, and a step along the gradient's sign (in L2 along
 * the gradient). An iteration is one query a direction and one for the new image, whose margin is
 * the other end of the next differences.
 *
 * @param estimator of the gradient
 * @param step a share of eps
 */
public record ZoSignSgd(Estimator estimator, double step) implements BlackBoxAttack {
  /**
   * BlackboxBench's 30 directions at a distance of 0.01; steps of 0.1 eps, half of its, with which
   * the noise of the estimate does not swallow small balls.
   */
  public ZoSignSgd() {
    this(new Estimator.OneSided(Estimator.Directions.SPHERE, 30, 0.01), 0.1);
  }

  @Override
  public String name() {
    return "zo-signsgd";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.SCORES;
  }

  @Override
  public void attack(Target target, Key key) {
    Draw draw = new Draw(key);
    Threat threat = target.threat();
    float[] original = target.image();
    float[] x = target.start();
    double margin = target.margin(x);
    while (threat.eps() > 0) {
      double[] gradient = estimator.gradient(target::margins, x, margin, draw);
      double[] change = Vectors.change(original, x);
      Vectors.add(change, -step * threat.eps(), threat.metric().steepest(gradient));
      x = threat.within(original, change);
      margin = target.margin(x);
    }
  }
}
