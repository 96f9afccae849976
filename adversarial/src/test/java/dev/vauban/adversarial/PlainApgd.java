package dev.vauban.adversarial;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * APGD once more: line by line after AutoAttack's code, in double, with arrays and loops, image by
 * image. Can make mistakes on purpose, to show that a comparison with it would notice them.
 */
final class PlainApgd {
  /** A mistake. */
  enum Mistake {
    DESCENDS,
    NO_BALL,
    NO_BOX,
    NO_MOMENTUM,
    NO_RETURN_TO_THE_BEST,
    NO_HALVING,
    CHECKPOINTS_ONE_LATER,
    STRICT_FIRST_CONDITION,
    NO_SECOND_CONDITION,
    MOMENTUM_FROM_THE_BEST
  }

  /** Loss, gradient and margin of all images. */
  record Seen(double[] loss, double[] gradient, double[] margin) {}

  private final boolean linf;
  private final double eps;
  private final int steps;
  private final Set<Mistake> mistakes;

  /** What there is to compare, by iteration. */
  final List<double[]> trajectory = new ArrayList<>();

  final List<double[]> losses = new ArrayList<>();
  final List<double[]> sizes = new ArrayList<>();
  double[] best;
  double[] highest;
  double[] fooling;

  PlainApgd(boolean linf, double eps, int steps, Mistake... mistakes) {
    this.linf = linf;
    this.eps = eps;
    this.steps = steps;
    this.mistakes = EnumSet.noneOf(Mistake.class);
    this.mistakes.addAll(Arrays.asList(mistakes));
  }

  private boolean is(Mistake m) {
    return mistakes.contains(m);
  }

  /** Runs on {@code n} images from {@code start}. */
  PlainApgd run(double[] image, double[] start, int n, Function<double[], Seen> model) {
    int d = image.length / n;
    int k = Math.max((int) (0.22 * steps), 1);
    int kMin = Math.max((int) (0.06 * steps), 1);
    int dec = Math.max((int) (0.03 * steps), 1);
    double[] x = start.clone();
    Seen seen = model.apply(x);
    double[] gradient = seen.gradient.clone();
    best = x.clone();
    double[] bestGradient = gradient.clone();
    highest = seen.loss.clone();
    fooling = start.clone();
    keepFooling(x, seen, n, d);
    double[] size = new double[n];
    Arrays.fill(size, 2 * eps);
    boolean[] reducedLast = new boolean[n];
    Arrays.fill(reducedLast, true);
    double[] highestLast = highest.clone();
    double[] old = x.clone();
    double[][] history = new double[steps][n];
    int count = is(Mistake.CHECKPOINTS_ONE_LATER) ? -1 : 0;
    for (int i = 0; i < steps; i++) {
      sizes.add(size.clone());
      double a = i > 0 && !is(Mistake.NO_MOMENTUM) ? 0.75 : 1;
      double[] moved = new double[x.length];
      for (int m = 0; m < n; m++) {
        double[] at = part(x, m, d);
        double[] direction = direction(part(gradient, m, d));
        double[] center = part(image, m, d);
        double[] z = new double[d];
        for (int j = 0; j < d; j++) {
          z[j] = at[j] + (is(Mistake.DESCENDS) ? -1 : 1) * size[m] * direction[j];
        }
        inside(z, center);
        for (int j = 0; j < d; j++) {
          z[j] = at[j] + a * (z[j] - at[j]) + (1 - a) * (at[j] - old[m * d + j]);
        }
        inside(z, center);
        System.arraycopy(z, 0, moved, m * d, d);
      }
      old = x;
      x = moved;
      seen = model.apply(x);
      gradient = seen.gradient.clone();
      history[i] = seen.loss.clone();
      keepFooling(x, seen, n, d);
      trajectory.add(x.clone());
      losses.add(seen.loss.clone());
      for (int m = 0; m < n; m++) {
        if (seen.loss[m] > highest[m]) {
          highest[m] = seen.loss[m];
          copy(x, best, m, d);
          copy(gradient, bestGradient, m, d);
        }
      }
      if (++count == k) {
        for (int m = 0; m < n; m++) {
          int rises = 0;
          for (int c = 0; c < k; c++) {
            double before = i - c - 1 < 0 ? 0 : history[i - c - 1][m];
            rises += history[i - c][m] > before ? 1 : 0;
          }
          boolean seldom =
              is(Mistake.STRICT_FIRST_CONDITION) ? rises < 0.75 * k : rises <= 0.75 * k;
          boolean stands =
              !reducedLast[m] && highestLast[m] >= highest[m] && !is(Mistake.NO_SECOND_CONDITION);
          reducedLast[m] = seldom || stands;
          highestLast[m] = highest[m];
          if (reducedLast[m]) {
            size[m] /= is(Mistake.NO_HALVING) ? 1 : 2;
            if (!is(Mistake.NO_RETURN_TO_THE_BEST)) {
              copy(best, x, m, d);
              copy(bestGradient, gradient, m, d);
              if (is(Mistake.MOMENTUM_FROM_THE_BEST)) {
                copy(best, old, m, d);
              }
            }
          }
        }
        k = Math.max(k - dec, kMin);
        count = 0;
      }
    }
    return this;
  }

  private void keepFooling(double[] x, Seen seen, int n, int d) {
    for (int m = 0; m < n; m++) {
      if (seen.margin[m] > 0) {
        copy(x, fooling, m, d);
      }
    }
  }

  private double[] direction(double[] g) {
    double length = Math.sqrt(Arrays.stream(g).map(v -> v * v).sum()) + 1e-12;
    return Arrays.stream(g).map(v -> linf ? Math.signum(v) : v / length).toArray();
  }

  /** The ball, then the box. */
  private void inside(double[] z, double[] center) {
    if (!is(Mistake.NO_BALL)) {
      double length = 0;
      for (int j = 0; j < z.length; j++) {
        length += (z[j] - center[j]) * (z[j] - center[j]);
      }
      double shrink = Math.min(1, eps / (Math.sqrt(length) + 1e-12));
      for (int j = 0; j < z.length; j++) {
        double delta = z[j] - center[j];
        z[j] = center[j] + (linf ? Math.max(-eps, Math.min(eps, delta)) : shrink * delta);
      }
    }
    if (!is(Mistake.NO_BOX)) {
      for (int j = 0; j < z.length; j++) {
        z[j] = Math.max(0, Math.min(1, z[j]));
      }
    }
  }

  private static double[] part(double[] all, int m, int d) {
    return Arrays.copyOfRange(all, m * d, (m + 1) * d);
  }

  private static void copy(double[] from, double[] to, int m, int d) {
    System.arraycopy(from, m * d, to, m * d, d);
  }
}
