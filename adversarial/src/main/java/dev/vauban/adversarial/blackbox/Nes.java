package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Natural evolution strategies (Ilyas et al. 2018, <a href="https://arxiv.org/abs/1804.08598">arXiv
 * 1804.08598</a>, section 2.2): projected descent on the margin along a gradient estimated from
 * normal directions, with momentum, and steps that are halved while nothing improves. An iteration
 * is two queries a pair and one for the new image.
 *
 * <p>The steps are shares of eps, so that one setting serves all radii: the released 1e-2 and 5e-5
 * at eps 0.05.
 *
 * @param estimator of the gradient
 * @param step the first step, a share of eps
 * @param least the smallest step, a share of eps
 * @param momentum the weight of the past, in [0,1)
 */
public record Nes(Estimator estimator, double step, double least, double momentum)
    implements BlackBoxAttack {
  private static final int PLATEAU = 5;

  /** 25 pairs at a distance of 1e-3, and steps from 0.2 eps down to 0.001 eps. */
  public Nes() {
    this(new Estimator.TwoSided(Estimator.Directions.NORMAL, 25, 1e-3), 0.2, 1e-3, 0.9);
  }

  @Override
  public String name() {
    return "nes";
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
    double[] gradient = new double[target.size()];
    double rate = step * threat.eps();
    Deque<Double> last = new ArrayDeque<>();
    while (rate > 0) {
      double[] fresh = estimator.gradient(target::margins, x, Double.NaN, draw);
      Vectors.scale(gradient, momentum);
      Vectors.add(gradient, 1 - momentum, fresh);
      double[] change = Vectors.change(original, x);
      Vectors.add(change, -rate, threat.metric().steepest(gradient));
      x = threat.within(original, change);
      last.addLast(target.margin(x));
      if (last.size() > PLATEAU) {
        last.removeFirst();
      }
      if (last.size() == PLATEAU && last.getLast() > last.getFirst()) {
        rate = Math.max(rate / 2, least * threat.eps());
        last.clear();
      }
    }
  }
}
