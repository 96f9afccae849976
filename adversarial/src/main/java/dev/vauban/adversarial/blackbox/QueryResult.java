package dev.vauban.adversarial.blackbox;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a campaign found. Rates are over attacked images: those whose clean image was answered
 * rightly.
 *
 * @param attack its name
 * @param threat what counted as a success
 * @param budget queries per image
 * @param outcomes one for each image, in their order
 * @param sent queries sent in all: clean images, whole calls, and repeated ones
 * @param ended why the campaign ended before its time, one sentence; empty if it did not
 */
public record QueryResult(
    String attack, Threat threat, int budget, List<Outcome> outcomes, long sent, String ended) {

  /** The images that were attacked. */
  public List<Outcome> attacked() {
    return outcomes.stream().filter(Outcome::attacked).toList();
  }

  private Stream<Outcome> successes() {
    return outcomes.stream().filter(o -> o.status() == Outcome.Status.SUCCESS);
  }

  /** How many attacked images were fooled. */
  public int successCount() {
    return (int) successes().count();
  }

  /** The share of attacked images fooled within so many queries, 0..1; NaN if none was attacked. */
  public double successRate(int queries) {
    return (double) successes().filter(o -> o.queries() <= queries).count() / attacked().size();
  }

  /** The share of attacked images fooled, 0..1. */
  public double successRate() {
    return successRate(budget);
  }

  /** Mean queries to success, over successes; NaN if there is none. */
  public double meanQueries() {
    return successes().mapToInt(Outcome::queries).average().orElse(Double.NaN);
  }

  /** Median queries to success, over successes; NaN if there is none. */
  public double medianQueries() {
    return median(successes().mapToDouble(Outcome::queries).toArray());
  }

  /** Mean queries over attacked images, where a failure counts as the whole budget. */
  public double meanQueriesWithFailures() {
    return attacked().stream()
        .mapToInt(o -> o.status() == Outcome.Status.SUCCESS ? o.queries() : budget)
        .average()
        .orElse(Double.NaN);
  }

  /** Median distance of the nearest wrong answer after so many queries, over attacked images. */
  public double medianDistance(int queries) {
    return median(attacked().stream().mapToDouble(o -> o.distanceAfter(queries)).toArray());
  }

  private static double median(double[] values) {
    if (values.length == 0) {
      return Double.NaN;
    }
    Arrays.sort(values);
    int middle = values.length / 2;
    return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  }
}
