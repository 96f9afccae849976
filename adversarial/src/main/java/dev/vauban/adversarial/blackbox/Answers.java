package dev.vauban.adversarial.blackbox;

import java.util.Arrays;

/**
 * What an oracle said of some images.
 *
 * @param labels the class of each, [n]
 * @param scores the scores of each, [n][classes]; null if the oracle gives labels alone
 */
public record Answers(int[] labels, double[][] scores) {
  /** Answers without scores. */
  public static Answers ofLabels(int[] labels) {
    return new Answers(labels, null);
  }

  /**
   * Answers with scores; the label is the first class of the highest score.
   *
   * @param scores [n][classes]
   */
  public static Answers ofScores(double[][] scores) {
    int[] labels = new int[scores.length];
    for (int i = 0; i < labels.length; i++) {
      for (int c = 1; c < scores[i].length; c++) {
        if (scores[i][c] > scores[i][labels[i]]) {
          labels[i] = c;
        }
      }
    }
    return new Answers(labels, scores);
  }

  /** The answers of some of the images, by their places here. */
  public Answers of(int... places) {
    int[] some = Arrays.stream(places).map(i -> labels[i]).toArray();
    return new Answers(
        some,
        scores == null
            ? null
            : Arrays.stream(places).mapToObj(i -> scores[i]).toArray(double[][]::new));
  }

  /** How many images were answered. */
  public int count() {
    return labels.length;
  }

  /**
   * How far the score of class {@code label} is above the best of the others: at most 0 once image
   * {@code i} is misclassified.
   */
  public double margin(int i, int label) {
    double other = Double.NEGATIVE_INFINITY;
    for (int c = 0; c < scores[i].length; c++) {
      if (c != label) {
        other = Math.max(other, scores[i][c]);
      }
    }
    return scores[i][label] - other;
  }
}
