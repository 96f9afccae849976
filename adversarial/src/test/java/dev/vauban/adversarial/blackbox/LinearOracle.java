package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Two classes and the plane between them: {@code f = a (x - 1/2)}, class 0 where f is positive. All
 * that an attack can reach is known exactly. Keeps what it was asked, to be judged afterwards.
 */
final class LinearOracle implements Oracle {
  final double[] a;
  final List<float[]> asked = new ArrayList<>();
  int calls;
  int largestBatch = 500;
  private final Shape image;
  private final Reply reply;

  LinearOracle(Shape image, Reply reply, Key key) {
    this.image = image;
    this.reply = reply;
    this.a = new Draw(key).normals((int) image.size());
  }

  double value(float[] x) {
    double f = 0;
    for (int i = 0; i < a.length; i++) {
      f += a[i] * (x[i] - 0.5);
    }
    return f;
  }

  /**
   * An image at this Euclidean distance from the plane, on the side of its sign, far from the box.
   */
  float[] imageAt(double distance, Key key) {
    Draw draw = new Draw(key);
    float[] x = new float[a.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (0.35 + 0.3 * draw.uniform());
    }
    double length = Metric.L2.length(a);
    return Vectors.moved(x, (distance * length - value(x)) / (length * length), a);
  }

  static int label(double distance) {
    return distance > 0 ? 0 : 1;
  }

  /** How much of eps is needed to reach the plane from an image at this Euclidean distance. */
  double exact(Metric metric, double distance) {
    double l1 = 0;
    for (double value : a) {
      l1 += Math.abs(value);
    }
    return Math.abs(distance) * (metric == Metric.L2 ? 1 : Metric.L2.length(a) / l1);
  }

  @Override
  public Reply reply() {
    return reply;
  }

  @Override
  public Shape image() {
    return image;
  }

  @Override
  public int classes() {
    return 2;
  }

  @Override
  public int largestBatch() {
    return largestBatch;
  }

  @Override
  public Answers ask(float[][] images) {
    calls++;
    double[][] scores = new double[images.length][];
    for (int i = 0; i < images.length; i++) {
      asked.add(images[i]);
      double f = value(images[i]);
      scores[i] = new double[] {f / 2, -f / 2};
    }
    Answers answers = Answers.ofScores(scores);
    return reply == Reply.SCORES ? answers : Answers.ofLabels(answers.labels());
  }

  @Override
  public void close() {}
}
