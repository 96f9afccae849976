package dev.vauban.adversarial.blackbox;

import java.util.List;

/**
 * What came of the attack on one image.
 *
 * @param number which image of the campaign
 * @param label its class
 * @param status how it ended
 * @param queries to the first success, that one included; without a success, all that were asked.
 *     The question whether the clean image is right counts apart
 * @param adversarial the nearest image that was answered wrongly, in [0,1]; null if there was none.
 *     It may be farther than the threat allows where the status is not {@link Status#SUCCESS}
 * @param answer the class that the oracle took that for; -1 if there was none
 * @param distance how far that is from the original; infinite if there is none
 * @param trace how the distance fell, in the order of the queries
 */
public record Outcome(
    int number,
    int label,
    Status status,
    int queries,
    float[] adversarial,
    int answer,
    double distance,
    List<Point> trace) {

  /** How the attack on an image ended. */
  public enum Status {
    /** A wrong answer within the threat. */
    SUCCESS,
    /** The budget is spent, or the attack knows no further. */
    SURVIVED,
    /** The campaign ended before. */
    CUT_SHORT,
    /** The clean image was answered wrongly already: there was nothing to attack. */
    WRONG_ANYWAY,
    /** The campaign ended before the clean image was asked. */
    NOT_ASKED
  }

  /**
   * A nearer image that was answered wrongly.
   *
   * @param query its number among the image's queries, from 1
   * @param distance from the original
   */
  public record Point(int query, double distance) {}

  /** Whether the image was attacked at all. */
  public boolean attacked() {
    return status == Status.SUCCESS || status == Status.SURVIVED || status == Status.CUT_SHORT;
  }

  /** The nearest wrong answer after so many queries; infinite if there was none. */
  public double distanceAfter(int queries) {
    double distance = Double.POSITIVE_INFINITY;
    for (Point point : trace) {
      if (point.query() <= queries) {
        distance = point.distance();
      }
    }
    return distance;
  }
}
