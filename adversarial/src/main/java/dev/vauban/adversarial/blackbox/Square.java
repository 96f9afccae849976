package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Square attack (Andriushchenko et al. 2020, <a href="https://arxiv.org/abs/1912.00049">arXiv
 * 1912.00049</a>): random search by changes of square windows, which shrink as the budget is spent.
 * A change that lowers the margin stays. No gradient, no estimate of one.
 *
 * <p>It begins with stripes (in L2 with a grid of bumps), or where a {@link Guide} says.
 *
 * <p>Each image has windows and signs of its own, and a window may lie at every position: the
 * released code never uses the last row and column.
 *
 * @param first the share of pixels that the first windows change, in (0,1]
 */
public record Square(double first) implements BlackBoxAttack {
  /** Shares are halved at these numbers of queries out of 10,000. */
  private static final int[] HALVED = {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000};

  private static final int MOST_IDLE = 1000;

  /** Checks the share. */
  public Square {
    if (!(first > 0 && first <= 1)) {
      throw new IllegalArgumentException("square's first share is in (0,1], not " + first);
    }
  }

  /**
   * As AutoAttack and the paper's MNIST runs have it: the first windows change 0.8 of the image.
   */
  public Square() {
    this(0.8);
  }

  @Override
  public String name() {
    return "square";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.SCORES;
  }

  @Override
  public void attack(Target target, Key key) {
    Draw draw = new Draw(key);
    if (target.threat().metric() == Metric.LINF) {
      linf(target, draw);
    } else {
      new SquareL2(target, draw, this).run();
    }
  }

  /** The share of pixels that the change of this query is to cover. */
  double share(int query, int budget) {
    double of10000 = query * 10_000.0 / budget;
    double share = first;
    for (int at : HALVED) {
      share = of10000 > at ? share / 2 : share;
    }
    return share;
  }

  private void linf(Target target, Draw draw) {
    int h = target.shape().dim(0);
    int w = target.shape().dim(1);
    int channels = target.shape().dim(2);
    double eps = target.threat().eps();
    float[] x = target.image();
    float[] best = target.guided() ? target.start() : stripes(x, w * channels, eps, draw);
    double margin = target.margin(best);
    int idle = 0;
    while (idle < MOST_IDLE) {
      double pixels = share(target.asked(), target.budget()) * h * w;
      int side = Math.max(1, Math.min((int) Math.round(Math.sqrt(pixels)), Math.min(h, w)));
      int top = draw.index(h - side + 1);
      int left = draw.index(w - side + 1);
      float[] candidate = best.clone();
      boolean changed = false;
      for (int c = 0; c < channels; c++) {
        double change = draw.sign() * eps;
        for (int i = top; i < top + side; i++) {
          for (int j = left; j < left + side; j++) {
            int at = (i * w + j) * channels + c;
            candidate[at] = (float) Math.max(0, Math.min(1, x[at] + change));
            changed |= candidate[at] != best[at];
          }
        }
      }
      if (!changed) {
        idle++; // drawn again without asking
        continue;
      }
      idle = 0;
      double lower = target.margin(candidate);
      if (lower < margin) {
        margin = lower;
        best = candidate;
      }
    }
  }

  /** Where the search begins: every column of every channel up or down by eps. */
  private static float[] stripes(float[] x, int row, double eps, Draw draw) {
    double[] signs = draw.signs(row);
    float[] image = new float[x.length];
    for (int at = 0; at < x.length; at++) {
      image[at] = (float) Math.max(0, Math.min(1, x[at] + eps * signs[at % row]));
    }
    return image;
  }
}
