package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * HopSkipJump (Chen, Jordan and Wainwright 2020, <a href="https://arxiv.org/abs/1904.02144">arXiv
 * 1904.02144</a>, algorithm 2): from a point on the decision boundary, estimates the boundary's
 * normal from labels around it, jumps along it, and returns to the boundary on the line to the
 * original. Labels alone; minimises the distance.
 *
 * @param firstQueries labels of the first estimate; the t-th has {@code sqrt(t)} times as many
 * @param gamma how exactly the boundary is found, relative to {@code d^-1.5} (in Linf {@code d^-2})
 */
public record HopSkipJump(int firstQueries, double gamma) implements BlackBoxAttack {
  private static final int MOST_QUERIES = 10_000;
  private static final int MOST_HALVINGS = 50;
  private static final double FIRST_RADIUS = 0.1;

  /** Checks the ranges. */
  public HopSkipJump {
    if (firstQueries < 1 || !(gamma > 0)) {
      throw new IllegalArgumentException(
          "hop-skip-jump needs queries and a gamma above 0, not " + firstQueries + ", " + gamma);
    }
  }

  /** 100 labels at first, gamma 1. */
  public HopSkipJump() {
    this(100, 1);
  }

  @Override
  public String name() {
    return "hop-skip-jump";
  }

  @Override
  public Oracle.Reply needs() {
    return Oracle.Reply.LABELS;
  }

  @Override
  public void attack(Target target, Key key) {
    Draw draw = new Draw(key);
    Metric metric = target.threat().metric();
    float[] original = target.image();
    int d = target.size();
    double theta = metric == Metric.L2 ? gamma / (d * Math.sqrt(d)) : gamma / ((double) d * d);
    float[] jumped = Segment.start(target, draw);
    if (jumped == null) {
      return;
    }
    double before = metric.distance(original, jumped);
    float[] x = toBoundary(target, jumped, theta);
    for (int t = 1; ; t++) {
      double distance = metric.distance(original, x);
      double radius = (metric == Metric.L2 ? Math.sqrt(d) : d) * theta * before;
      int queries = (int) Math.min(firstQueries * Math.sqrt(t), MOST_QUERIES);
      double[] normal =
          metric.steepest(normal(target, x, t == 1 ? FIRST_RADIUS : radius, queries, draw));
      jumped = jump(target, x, normal, distance / Math.sqrt(t));
      if (jumped == null) {
        if (metric.length(normal) == 0 || distance == 0) {
          return; // nothing to follow
        }
        continue; // a bad estimate; the next has more queries
      }
      before = metric.distance(original, jumped);
      x = toBoundary(target, jumped, theta);
    }
  }

  private static float[] toBoundary(Target target, float[] wrong, double theta) {
    return target.threat().metric() == Metric.L2
        ? Segment.towards(target, wrong, theta)
        : Segment.towardsInBox(target, wrong, theta);
  }

  /** The boundary's normal at x (equation 14 with the baseline of section 3.3). */
  private static double[] normal(Target target, float[] x, double radius, int queries, Draw draw) {
    double[][] u = new double[queries][];
    float[][] points = new float[queries][];
    for (int k = 0; k < queries; k++) {
      double[] direction =
          target.threat().metric() == Metric.L2 ? draw.normals(x.length) : uniforms(draw, x.length);
      points[k] = Vectors.moved(x, radius, Metric.L2.steepest(direction));
      u[k] = Vectors.change(x, points[k]); // as clipped to [0,1]
      Vectors.scale(u[k], 1 / radius);
    }
    boolean[] wrong = target.fooled(points);
    double mean = 0;
    for (boolean w : wrong) {
      mean += (w ? 1.0 : -1.0) / queries;
    }
    double baseline = Math.abs(mean) == 1 ? 0 : mean;
    double[] sum = new double[x.length];
    for (int k = 0; k < queries; k++) {
      Vectors.add(sum, (wrong[k] ? 1 : -1) - baseline, u[k]);
    }
    return sum;
  }

  private static double[] uniforms(Draw draw, int size) {
    double[] v = new double[size];
    for (int i = 0; i < size; i++) {
      v[i] = 2 * draw.uniform() - 1;
    }
    return v;
  }

  /** Along the normal, half as far each time until the image is wrong; null if it never is. */
  private static float[] jump(Target target, float[] x, double[] normal, double first) {
    double step = first;
    for (int k = 0; k < MOST_HALVINGS; k++) {
      float[] candidate = Vectors.moved(x, step, normal);
      if (target.fooled(candidate)) {
        return candidate;
      }
      step /= 2;
    }
    return null;
  }
}
