package dev.vauban.cli.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.QueryResult;
import java.util.ArrayList;
import java.util.List;

/**
 * What black-box attacks found.
 *
 * @param victim whom they asked, in words
 * @param norm of the budget eps
 * @param eps the radius
 * @param budget queries per image
 * @param rows one for each attack
 * @param examples images for the report
 */
public record QueryEvaluation(
    String victim,
    String norm,
    double eps,
    int budget,
    List<Row> rows,
    @JsonIgnore List<Example> examples) {
  private static final int POINTS = 60;

  /**
   * One attack. Rates are over attacked images: those whose clean image was answered rightly.
   *
   * @param attack its name
   * @param images how many were given
   * @param attacked how many of them were answered rightly
   * @param successes how many of these were fooled
   * @param successRate 0..1; null if none was attacked
   * @param first share of attacked images fooled by the first query, 0..1; null if none was
   *     attacked
   * @param meanQueries to success, over successes; null if there is none
   * @param medianQueries the same
   * @param meanQueriesWithFailures over attacked images, a failure counting as the whole budget
   * @param sent queries in all, with those of clean images and repeated ones
   * @param ended why it ended early; null if it did not
   * @param curve success rate after so many queries
   * @param distances of attacks that minimise the distance: median over attacked images of the
   *     nearest wrong answer after so many queries, null while fewer than half have one; null for
   *     others
   */
  public record Row(
      String attack,
      int images,
      int attacked,
      int successes,
      Double successRate,
      Double first,
      Double meanQueries,
      Double medianQueries,
      Double meanQueriesWithFailures,
      long sent,
      String ended,
      List<Point> curve,
      List<Point> distances) {
    /** The row of a result; {@code needs} is what the attack is told. */
    public static Row of(QueryResult result, Oracle.Reply needs) {
      List<Point> curve = new ArrayList<>();
      List<Point> distances = new ArrayList<>();
      for (int k = 0; k <= POINTS; k++) {
        int queries = (int) ((long) k * result.budget() / POINTS);
        curve.add(new Point(queries, finite(result.successRate(queries))));
        distances.add(new Point(queries, finite(result.medianDistance(queries))));
      }
      return new Row(
          result.attack(),
          result.outcomes().size(),
          result.attacked().size(),
          result.successCount(),
          finite(result.successRate()),
          finite(result.successRate(1)),
          finite(result.meanQueries()),
          finite(result.medianQueries()),
          finite(result.meanQueriesWithFailures()),
          result.sent(),
          result.ended().isEmpty() ? null : result.ended(),
          List.copyOf(curve),
          needs == Oracle.Reply.LABELS ? List.copyOf(distances) : null);
    }

    private static Double finite(double value) {
      return Double.isFinite(value) ? value : null;
    }
  }

  /**
   * A point of a curve.
   *
   * @param queries per image
   * @param value null where there is none
   */
  public record Point(int queries, Double value) {}
}
