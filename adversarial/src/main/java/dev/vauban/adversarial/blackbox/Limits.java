package dev.vauban.adversarial.blackbox;

import java.time.Duration;

/**
 * What an oracle may be asked for, whatever an attack wants.
 *
 * @param cap the most queries in all, repeated ones included; never exceeded
 * @param perSecond the most queries per second; infinite for no such limit
 * @param retries how often a call with a {@link OracleException.Kind#PASSING passing} failure is
 *     repeated
 * @param firstDelay the wait before the first repetition, doubled before each further one
 */
public record Limits(long cap, double perSecond, int retries, Duration firstDelay) {
  /** No limits: for models in this process. */
  public static final Limits NONE =
      new Limits(Long.MAX_VALUE, Double.POSITIVE_INFINITY, 0, Duration.ZERO);

  /** Checks the ranges. */
  public Limits {
    if (cap < 1 || !(perSecond > 0) || retries < 0 || firstDelay.isNegative()) {
      throw new IllegalArgumentException(
          "an oracle's cap (%d) and rate (%s per second) are above 0, retries (%d) and delay (%s)"
                  .formatted(cap, perSecond, retries, firstDelay)
              + " at least 0");
    }
  }

  /** These limits with another cap. */
  public Limits withCap(long queries) {
    return new Limits(queries, perSecond, retries, firstDelay);
  }
}
