package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.Arrays;
import java.util.Comparator;

/**
 * Simple black-box attack (Guo et al. 2019, <a href="https://arxiv.org/abs/1905.07121">arXiv
 * 1905.07121</a>): one direction of an orthonormal basis after the other, first against it, then
 * along it; a step that lowers the margin stays. At most two queries a direction and one for the
 * start. The released code lowers the probability of the true class; a margin needs no
 * probabilities.
 *
 * <p>After T steps that stayed, the change has length {@code step * sqrt(T)} as long as neither the
 * ball nor [0,1] is in the way. A pass over the basis in which no step stays ends the attack.
 *
 * @param basis the directions
 * @param step the length of a step; 0 for what suits the threat: eps of the ball of Linf, and a
 *     fifth of eps, but at most 0.2, of that of L2
 */
public record SimBa(Basis basis, double step) implements BlackBoxAttack {
  /** Which directions. */
  public enum Basis {
    /** Single pixels, in random order. */
    PIXELS,
    /** Waves of the cosine transform of each channel, low frequencies first. */
    WAVES
  }

  /** Checks the length. */
  public SimBa {
    if (!(step >= 0)) {
      throw new IllegalArgumentException("simba's step is at least 0, not " + step);
    }
  }

  /** Single pixels, with steps that suit the threat. */
  public SimBa() {
    this(Basis.PIXELS, 0);
  }

  @Override
  public String name() {
    return basis == Basis.PIXELS ? "simba" : "simba-dct";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.SCORES;
  }

  @Override
  public void attack(Target target, Key key) {
    Threat threat = target.threat();
    double length = step > 0 ? step : suited(threat);
    float[] original = target.image();
    float[] x = target.start();
    double margin = target.margin(x);
    boolean improved = length > 0;
    for (int pass = 0; improved; pass++) {
      improved = false;
      for (int direction : order(target, new Draw(key.fold(pass)))) {
        double[] wave = direction(target, direction);
        for (int sign = -1; sign <= 1; sign += 2) {
          double[] change = Vectors.change(original, x);
          Vectors.add(change, sign * length, wave);
          float[] candidate = threat.within(original, change);
          if (Arrays.equals(candidate, x)) {
            continue; // at the edge of the ball or of [0,1]
          }
          double lower = target.margin(candidate);
          if (lower < margin) {
            margin = lower;
            x = candidate;
            improved = true;
            break;
          }
        }
      }
    }
  }

  private static double suited(Threat threat) {
    return threat.metric() == Metric.LINF ? threat.eps() : Math.min(0.2, threat.eps() / 5);
  }

  private int[] order(Target target, Draw draw) {
    int[] random = draw.choose(target.size(), target.size());
    if (basis == Basis.PIXELS) {
      return random;
    }
    // Stable: within a frequency the order stays random.
    return Arrays.stream(random)
        .boxed()
        .sorted(Comparator.comparingInt(d -> frequency(target, d)))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static int frequency(Target target, int direction) {
    int at = direction / target.shape().dim(2);
    return at / target.shape().dim(1) + at % target.shape().dim(1);
  }

  /** The basis vector number {@code direction}, of length 1. */
  private double[] direction(Target target, int direction) {
    double[] v = new double[target.size()];
    if (basis == Basis.PIXELS) {
      v[direction] = 1;
      return v;
    }
    int h = target.shape().dim(0);
    int w = target.shape().dim(1);
    int channels = target.shape().dim(2);
    int channel = direction % channels;
    double[] rows = wave(direction / channels / w, h);
    double[] columns = wave(direction / channels % w, w);
    for (int i = 0; i < h; i++) {
      for (int j = 0; j < w; j++) {
        v[(i * w + j) * channels + channel] = rows[i] * columns[j];
      }
    }
    return v;
  }

  /** Row {@code k} of the orthonormal cosine transform (DCT-II). */
  private static double[] wave(int k, int n) {
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] = Math.sqrt((k == 0 ? 1.0 : 2.0) / n) * Math.cos(Math.PI * (i + 0.5) * k / n);
    }
    return v;
  }
}
