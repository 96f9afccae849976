package dev.vauban.meta;

import java.util.ArrayList;
import java.util.List;

/**
 * A small network in plain loops, {@code softmax(tanh(x a) b)}, with its derivatives written out by
 * hand and the attacks on it: what {@link ObjectivesTest} checks the library by. Shares no code
 * with the library.
 */
final class PlainNet {
  static final int PIXELS = 4;
  static final int HIDDEN = 5;
  static final int CLASSES = 3;
  static final int WEIGHTS = (PIXELS + CLASSES) * HIDDEN;

  private PlainNet() {}

  /**
   * Labelled images.
   *
   * @param x images [n][PIXELS]
   * @param y labels [n]
   */
  record Data(double[][] x, int[] y) {
    Data withImages(double[][] other) {
      return new Data(other, y);
    }
  }

  /** Derivatives of the summed loss of some images. */
  private record Slopes(double[] weights, double[][] images) {}

  /** {@code w} is a [PIXELS][HIDDEN], then b [HIDDEN][CLASSES], row after row. */
  static double[] hidden(double[] w, double[] x) {
    double[] h = new double[HIDDEN];
    for (int j = 0; j < HIDDEN; j++) {
      double sum = 0;
      for (int i = 0; i < PIXELS; i++) {
        sum += x[i] * w[i * HIDDEN + j];
      }
      h[j] = Math.tanh(sum);
    }
    return h;
  }

  private static double[] probabilities(double[] w, double[] h) {
    double[] p = new double[CLASSES];
    double total = 0;
    for (int c = 0; c < CLASSES; c++) {
      double z = 0;
      for (int j = 0; j < HIDDEN; j++) {
        z += h[j] * w[PIXELS * HIDDEN + j * CLASSES + c];
      }
      p[c] = Math.exp(z);
      total += p[c];
    }
    for (int c = 0; c < CLASSES; c++) {
      p[c] /= total;
    }
    return p;
  }

  static double[] probabilitiesOf(double[] w, double[] x) {
    return probabilities(w, hidden(w, x));
  }

  /** The mean cross-entropy. */
  static double loss(double[] w, Data data) {
    double sum = 0;
    for (int n = 0; n < data.x.length; n++) {
      sum -= Math.log(probabilitiesOf(w, data.x[n])[data.y[n]]);
    }
    return sum / data.x.length;
  }

  /** The mean over the images of KL(p(x) || p(attacked)). */
  static double divergence(double[] w, double[][] x, double[][] attacked) {
    double sum = 0;
    for (int n = 0; n < x.length; n++) {
      double[] p = probabilitiesOf(w, x[n]);
      double[] q = probabilitiesOf(w, attacked[n]);
      for (int c = 0; c < CLASSES; c++) {
        sum += p[c] * Math.log(p[c] / q[c]);
      }
    }
    return sum / x.length;
  }

  /**
   * Of the summed cross-entropy with soft targets: the logits' slope is probability minus target.
   */
  private static Slopes slopes(double[] w, double[][] x, double[][] targets) {
    double[] ofWeights = new double[WEIGHTS];
    double[][] ofImages = new double[x.length][PIXELS];
    for (int n = 0; n < x.length; n++) {
      double[] h = hidden(w, x[n]);
      double[] p = probabilities(w, h);
      for (int j = 0; j < HIDDEN; j++) {
        double back = 0;
        for (int c = 0; c < CLASSES; c++) {
          int at = PIXELS * HIDDEN + j * CLASSES + c;
          ofWeights[at] += h[j] * (p[c] - targets[n][c]);
          back += w[at] * (p[c] - targets[n][c]);
        }
        back *= 1 - h[j] * h[j];
        for (int i = 0; i < PIXELS; i++) {
          ofWeights[i * HIDDEN + j] += x[n][i] * back;
          ofImages[n][i] += w[i * HIDDEN + j] * back;
        }
      }
    }
    return new Slopes(ofWeights, ofImages);
  }

  private static double[][] labels(Data data) {
    double[][] targets = new double[data.y.length][CLASSES];
    for (int n = 0; n < data.y.length; n++) {
      targets[n][data.y[n]] = 1;
    }
    return targets;
  }

  /** The gradient of {@link #loss} in the weights. */
  static double[] gradient(double[] w, Data data) {
    double[] g = slopes(w, data.x, labels(data)).weights;
    for (int i = 0; i < g.length; i++) {
      g[i] /= data.x.length;
    }
    return g;
  }

  /** The probabilities of each image: fixed targets. */
  static double[][] targets(double[] w, double[][] x) {
    List<double[]> all = new ArrayList<>();
    for (double[] image : x) {
      all.add(probabilitiesOf(w, image));
    }
    return all.toArray(double[][]::new);
  }

  /**
   * Signed ascent in the L-inf ball and in [0,1] on the cross-entropy with these targets. For
   * targets p(x) that differs from KL(p(x) || .) by a constant.
   *
   * @param noise in [0,1): where in the ball to start, [n][PIXELS]
   */
  static double[][] attack(
      double[] w, double[][] x, double[][] targets, double[][] noise, Budget budget) {
    double[][] adv = new double[x.length][PIXELS];
    for (int n = 0; n < x.length; n++) {
      for (int i = 0; i < PIXELS; i++) {
        double start = x[n][i] + (2 * noise[n][i] - 1) * budget.eps;
        adv[n][i] = Math.max(0, Math.min(1, start));
      }
    }
    for (int k = 0; k < budget.steps; k++) {
      double[][] g = slopes(w, adv, targets).images;
      for (int n = 0; n < x.length; n++) {
        for (int i = 0; i < PIXELS; i++) {
          double moved = adv[n][i] + budget.stepSize * Math.signum(g[n][i]);
          double low = Math.max(0, x[n][i] - budget.eps);
          double high = Math.min(1, x[n][i] + budget.eps);
          adv[n][i] = Math.max(low, Math.min(high, moved));
        }
      }
    }
    return adv;
  }

  static double[][] attack(double[] w, Data data, double[][] noise, Budget budget) {
    return attack(w, data.x, labels(data), noise, budget);
  }

  /** What the attacker may do: FGSM-RS is one step of 1.25 eps. */
  record Budget(double eps, double stepSize, int steps) {}
}
