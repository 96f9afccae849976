package dev.vauban.meta.generator;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The last images that a model answered, and with what probabilities. Scores that are no
 * probabilities are taken for logits.
 */
final class History {
  private static final double ROUNDING = 1e-3;

  private final float[][] images;
  private final float[][] answers;
  private long received;

  History(int size) {
    this.images = new float[size][];
    this.answers = new float[size][];
  }

  void add(float[][] asked, Answers answered) {
    for (int i = 0; i < asked.length; i++) {
      int at = (int) (received++ % images.length);
      images[at] = asked[i].clone();
      answers[at] = probabilities(answered.scores()[i]);
    }
  }

  /** Draws as many as the tensors take, with replacement. */
  void fill(Key key, Tensor x, Tensor p) {
    int known = (int) Math.min(received, images.length);
    for (int i = 0; i < p.shape().dim(0); i++) {
      int at = key.index(i, known);
      write(x, i, images[at]);
      write(p, i, answers[at]);
    }
  }

  /** Writes one row of a tensor of floats. */
  static void write(Tensor t, int row, float[] values) {
    MemorySegment.copy(
        values, 0, t.segment(), ValueLayout.JAVA_FLOAT, 4L * row * values.length, values.length);
  }

  static float[] probabilities(double[] scores) {
    double sum = 0;
    double largest = Double.NEGATIVE_INFINITY;
    boolean inRange = true;
    for (double score : scores) {
      sum += score;
      largest = Math.max(largest, score);
      inRange &= score >= 0 && score <= 1;
    }
    float[] p = new float[scores.length];
    if (inRange && Math.abs(sum - 1) <= ROUNDING) {
      for (int c = 0; c < p.length; c++) {
        p[c] = (float) scores[c];
      }
      return p;
    }
    double total = 0;
    for (double score : scores) {
      total += Math.exp(score - largest);
    }
    for (int c = 0; c < p.length; c++) {
      p[c] = (float) (Math.exp(scores[c] - largest) / total);
    }
    return p;
  }
}
