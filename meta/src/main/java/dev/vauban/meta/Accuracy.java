package dev.vauban.meta;

import java.util.Arrays;

/**
 * An accuracy over episodes.
 *
 * @param mean of the episodes' accuracies, 0 to 1
 * @param halfWidth of its 95% confidence interval: 1.96 standard deviations of the episodes'
 *     accuracies over the square root of their number; 0 for one episode
 * @param episodes how many
 */
public record Accuracy(double mean, double halfWidth, int episodes) {
  /** The mean and interval of these episodes' accuracies, at least one. */
  public static Accuracy of(double... each) {
    if (each.length == 0) {
      throw new IllegalArgumentException("an accuracy needs at least 1 episode, not 0");
    }
    double mean = Arrays.stream(each).average().orElseThrow();
    double squares = Arrays.stream(each).map(a -> (a - mean) * (a - mean)).sum();
    double deviation = each.length == 1 ? 0 : Math.sqrt(squares / (each.length - 1));
    return new Accuracy(mean, 1.96 * deviation / Math.sqrt(each.length), each.length);
  }

  /** In percent, for example {@code 89.6 ± 1.0}. */
  @Override
  public String toString() {
    return String.format(java.util.Locale.ROOT, "%.1f ± %.1f", 100 * mean, 100 * halfWidth);
  }
}
