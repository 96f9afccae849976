package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Bandit optimisation with priors (Ilyas et al. 2019, <a
 * href="https://arxiv.org/abs/1807.07978">arXiv 1807.07978</a>, algorithms 1 to 3): keeps a coarse
 * estimate of the gradient from step to step (it changes slowly, and neighbouring pixels' are
 * alike), and corrects it with one difference of two queries. An iteration is these two and one for
 * the new image.
 *
 * @param step of the image, a share of eps
 * @param priorRate how fast the estimate follows: of the exponentiated gradient in Linf, of plain
 *     ascent in L2
 * @param exploration how far from the estimate the difference is taken
 * @param h length of the step of the difference, in L2
 * @param coarseness pixels of a side of the estimate's tiles
 */
public record Bandits(double step, double priorRate, double exploration, double h, int coarseness)
    implements BlackBoxAttack {
  /** Checks the ranges. */
  public Bandits {
    if (!(step > 0 && priorRate > 0 && exploration > 0 && h > 0) || coarseness < 1) {
      throw new IllegalArgumentException("the numbers of bandits are above 0");
    }
  }

  /**
   * Tiles of 2x2 pixels, steps of 0.1 eps, the released exploration of 1 and differences over 0.1,
   * and a rate for margins: theirs are for the cross-entropy of ImageNet's networks.
   */
  public Bandits() {
    this(0.1, 1, 1, 0.1, 2);
  }

  @Override
  public String name() {
    return "bandits";
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
    Tiles tiles = new Tiles(target, coarseness);
    double[] prior = new double[tiles.size()];
    while (threat.eps() > 0) {
      double[] u = draw.normals(prior.length);
      Vectors.scale(u, 1 / Math.sqrt(prior.length));
      double[] ahead = tiles.enlarged(explored(prior, exploration, u));
      double[] behind = tiles.enlarged(explored(prior, -exploration, u));
      double[] margins =
          target.margins(
              Vectors.moved(x, h, Metric.L2.steepest(ahead)),
              Vectors.moved(x, h, Metric.L2.steepest(behind)));
      // The estimate rises towards a lower margin.
      double rise = (margins[1] - margins[0]) / (exploration * h);
      follow(prior, rise, u, threat.metric());
      double[] change = Vectors.change(original, x);
      Vectors.add(change, step * threat.eps(), threat.metric().steepest(tiles.enlarged(prior)));
      x = threat.within(original, change);
      target.margin(x);
    }
  }

  private static double[] explored(double[] prior, double distance, double[] u) {
    double[] moved = prior.clone();
    Vectors.add(moved, distance, u);
    return moved;
  }

  /** One step of the estimate: exponentiated gradient in [-1,1], or plain ascent. */
  private void follow(double[] prior, double rise, double[] u, Metric metric) {
    if (metric == Metric.L2) {
      Vectors.add(prior, priorRate * rise, u);
      return;
    }
    for (int i = 0; i < prior.length; i++) {
      // Beyond 300 the exponential would overflow; the estimate is +-1 long before.
      double e = Math.exp(Math.max(-300, Math.min(300, 2 * priorRate * rise * u[i])));
      double up = (1 + prior[i]) / 2 * e;
      double down = (1 - prior[i]) / 2;
      prior[i] = (up - down) / (up + down);
    }
  }

  /** A coarse image and the way to its full size: every tile of one value. */
  private static final class Tiles {
    private final int h;
    private final int w;
    private final int channels;
    private final int side;
    private final int across;

    Tiles(Target target, int side) {
      this.h = target.shape().dim(0);
      this.w = target.shape().dim(1);
      this.channels = target.shape().dim(2);
      this.side = side;
      this.across = (w + side - 1) / side;
    }

    int size() {
      return (h + side - 1) / side * across * channels;
    }

    double[] enlarged(double[] coarse) {
      double[] full = new double[h * w * channels];
      for (int at = 0; at < full.length; at++) {
        int i = at / channels / w / side;
        int j = at / channels % w / side;
        full[at] = coarse[(i * across + j) * channels + at % channels];
      }
      return full;
    }
  }
}
