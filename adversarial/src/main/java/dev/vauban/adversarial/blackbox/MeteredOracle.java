package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.time.Duration;

/**
 * The one way to an oracle: counts every query before it is sent, holds the rate, repeats calls
 * after passing failures, and refuses answers that make no sense. A repeated call counts again.
 *
 * <p>Serves one thread.
 */
public final class MeteredOracle implements Oracle {
  private static final Duration LONGEST_DELAY = Duration.ofMinutes(1);

  private final Oracle oracle;
  private final QueryMeter meter;
  private final Key jitter = Key.of(0x6a69_7474_6572L);

  /** Meters {@code oracle} with a meter of its own; closing this closes the oracle. */
  public MeteredOracle(Oracle oracle, Limits limits) {
    this(oracle, new QueryMeter(limits));
  }

  /** Meters {@code oracle}; closing this closes the oracle. */
  public MeteredOracle(Oracle oracle, QueryMeter meter) {
    this.oracle = oracle;
    this.meter = meter;
  }

  /** What counts. */
  public QueryMeter meter() {
    return meter;
  }

  @Override
  public Reply reply() {
    return oracle.reply();
  }

  @Override
  public Shape image() {
    return oracle.image();
  }

  @Override
  public int classes() {
    return oracle.classes();
  }

  @Override
  public int largestBatch() {
    return oracle.largestBatch();
  }

  @Override
  public Answers ask(float[][] images) {
    for (int attempt = 0; ; attempt++) {
      meter.claim(images.length);
      try {
        return checked(oracle.ask(images), images.length);
      } catch (OracleException e) {
        if (e.kind() == OracleException.Kind.LASTING || attempt == meter.limits().retries()) {
          throw attempt == 0 ? e : after(attempt + 1, e);
        }
        meter.pause(delay(attempt));
      }
    }
  }

  private static OracleException after(int attempts, OracleException e) {
    return new OracleException(
        e.kind(), e.getMessage() + " (asked " + attempts + " times)", e.getCause());
  }

  /** Doubled each time, times 1 to 1.5, so that several askers do not come back all at once. */
  private Duration delay(int attempt) {
    double factor = Math.pow(2, Math.min(attempt, 40)) * (1 + 0.5 * jitter.uniform(meter.sent()));
    double millis =
        Math.min(LONGEST_DELAY.toMillis(), meter.limits().firstDelay().toMillis() * factor);
    return Duration.ofMillis((long) millis);
  }

  private Answers checked(Answers answers, int asked) {
    if (answers.count() != asked) {
      throw bad("answered %d of %d images", answers.count(), asked);
    }
    if (oracle.reply() == Reply.LABELS) {
      for (int label : answers.labels()) {
        if (label < 0 || label >= classes()) {
          throw bad("named class %d; there are %d, from 0", label, classes());
        }
      }
      return answers;
    }
    if (answers.scores() == null) {
      throw bad("gave labels although it promised scores");
    }
    for (double[] row : answers.scores()) {
      if (row.length != classes()) {
        throw bad("gave %d scores for an image of %d classes", row.length, classes());
      }
      for (double score : row) {
        if (!Double.isFinite(score)) {
          throw bad("gave a score of %s", score);
        }
      }
    }
    return answers;
  }

  private static OracleException bad(String what, Object... numbers) {
    return new OracleException(
        OracleException.Kind.LASTING, "the oracle " + what.formatted(numbers));
  }

  @Override
  public void close() {
    oracle.close();
  }
}
