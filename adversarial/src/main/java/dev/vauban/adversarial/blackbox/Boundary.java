package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.Arrays;
import java.util.Set;

/**
 * Boundary attack (Brendel, Rauber and Bethge 2018, <a
 * href="https://arxiv.org/abs/1712.04248">arXiv 1712.04248</a>): a random walk along the decision
 * boundary, each step orthogonal to the way to the original and then a little towards it; a step
 * that stays wrong and comes nearer is taken. Step lengths follow the rates of success, by
 * Foolbox's rules. In L2; one query a step, and another every ten steps.
 *
 * @param sphericalStep the first orthogonal step, relative to the distance
 * @param sourceStep the first step towards the original, relative to the distance
 */
public record Boundary(double sphericalStep, double sourceStep) implements BlackBoxAttack {
  private static final int CHECK_EVERY = 10;
  private static final double ADAPTATION = 1.5;
  private static final double CONVERGED = 1e-7;

  /** Checks the ranges. */
  public Boundary {
    if (!(sphericalStep > 0 && sourceStep > 0)) {
      throw new IllegalArgumentException("the steps of boundary are above 0");
    }
  }

  /** Both steps 0.01. */
  public Boundary() {
    this(0.01, 0.01);
  }

  @Override
  public String name() {
    return "boundary";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.LABELS;
  }

  @Override
  public Set<Metric> metrics() {
    return Set.of(Metric.L2);
  }

  @Override
  public void attack(Target target, Key key) {
    Draw draw = new Draw(key);
    float[] original = target.image();
    float[] best = Segment.start(target, draw);
    if (best == null) {
      return;
    }
    double spherical = sphericalStep;
    double source = sourceStep;
    Rate onSphere = new Rate(100);
    Rate steps = new Rate(30);
    for (int step = 1; source >= CONVERGED; step++) {
      double distance = Metric.L2.distance(original, best);
      float[] aside = aside(original, best, distance, spherical, draw);
      float[] candidate = nearer(original, aside, distance, source);
      boolean check = step % CHECK_EVERY == 0;
      if (check) {
        onSphere.add(target.fooled(aside));
      }
      boolean wrong = target.fooled(candidate);
      if (wrong && Metric.L2.distance(original, candidate) < distance) {
        best = candidate;
      }
      if (check) {
        steps.add(wrong);
        double change = onSphere.change(0.2, 0.5);
        spherical *= change;
        source *= change;
        source *= steps.change(0.1, 0.25);
      }
    }
  }

  /** A step on the sphere around the original, in a random direction. */
  private static float[] aside(
      float[] original, float[] best, double distance, double step, Draw draw) {
    double[] out = Vectors.change(original, best);
    double[] random = draw.normals(original.length);
    Vectors.add(random, -Vectors.dot(random, out) / (distance * distance), out);
    Vectors.add(out, step * distance / Metric.L2.length(random), random);
    return Vectors.moved(original, 1 / Math.sqrt(1 + step * step), out);
  }

  /** A step towards the original, longer by as much as the image is off the sphere. */
  private static float[] nearer(float[] original, float[] aside, double distance, double step) {
    double[] out = Vectors.change(original, aside);
    double length = Metric.L2.length(out);
    double way = Math.max(0, step * distance + length - distance);
    return Vectors.moved(original, 1 - way / length, out);
  }

  /** The share of successes among the last trials. */
  private static final class Rate {
    private final boolean[] last;
    private int count;

    Rate(int size) {
      last = new boolean[size];
    }

    void add(boolean success) {
      last[count++ % last.length] = success;
    }

    /** By what to multiply a step; after a change the counting begins anew. */
    double change(double low, double high) {
      if (count < last.length) {
        return 1;
      }
      int successes = 0;
      for (boolean success : last) {
        successes += success ? 1 : 0;
      }
      double share = (double) successes / last.length;
      if (share >= low && share <= high) {
        return 1;
      }
      count = 0;
      Arrays.fill(last, false);
      return share > high ? ADAPTATION : 1 / ADAPTATION;
    }
  }
}
