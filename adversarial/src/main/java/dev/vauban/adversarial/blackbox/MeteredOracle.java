package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The one way to an oracle: counts every query before it is sent, holds the rate, repeats calls
 * after passing failures, and refuses answers that make no sense. A repeated call counts again.
 *
 * <p>Serves one thread.
 */
public final class MeteredOracle implements Oracle {
  private static final Duration LONGEST_DELAY = Duration.ofMinutes(1);

  private final Oracle oracle;
  private final Limits limits;
  private final Consumer<Duration> sleeper;
  private final Key jitter = Key.of(0x6a69_7474_6572L);
  private long sent;
  private long calls;
  private long retried;
  private long freeAt = Long.MIN_VALUE;

  /** Meters {@code oracle}; closing this closes it. */
  public MeteredOracle(Oracle oracle, Limits limits) {
    this(oracle, limits, MeteredOracle::sleep);
  }

  /** With a sleep that a test watches. */
  MeteredOracle(Oracle oracle, Limits limits, Consumer<Duration> sleeper) {
    this.oracle = oracle;
    this.limits = limits;
    this.sleeper = sleeper;
  }

  /** Queries sent so far, repeated ones included. */
  public long sent() {
    return sent;
  }

  /** Calls repeated so far. */
  public long retried() {
    return retried;
  }

  /** Queries that may still be sent. */
  public long left() {
    return limits.cap() - sent;
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
      claim(images.length);
      try {
        return checked(oracle.ask(images), images.length);
      } catch (OracleException e) {
        if (e.kind() == OracleException.Kind.LASTING || attempt == limits.retries()) {
          throw attempt == 0 ? e : after(attempt + 1, e);
        }
        retried++;
        sleeper.accept(delay(attempt));
      }
    }
  }

  /** Counts queries that are about to be sent, and waits until they may be. */
  private void claim(int queries) {
    if (queries > left()) {
      throw new OracleException(
          OracleException.Kind.LASTING,
          "the cap of %,d queries is reached: %,d were sent and the next call needs %,d"
              .formatted(limits.cap(), sent, queries));
    }
    sent += queries;
    calls++;
    if (limits.perSecond() == Double.POSITIVE_INFINITY) {
      return;
    }
    long now = System.nanoTime();
    if (freeAt != Long.MIN_VALUE && freeAt > now) {
      sleeper.accept(Duration.ofNanos(freeAt - now));
      now = freeAt;
    }
    freeAt = now + (long) (queries / limits.perSecond() * 1e9);
  }

  private static OracleException after(int attempts, OracleException e) {
    return new OracleException(
        e.kind(), e.getMessage() + " (asked " + attempts + " times)", e.getCause());
  }

  /** Doubled each time, times 1 to 1.5, so that several askers do not come back all at once. */
  private Duration delay(int attempt) {
    double factor = Math.pow(2, Math.min(attempt, 40)) * (1 + 0.5 * jitter.uniform(calls));
    double millis = Math.min(LONGEST_DELAY.toMillis(), limits.firstDelay().toMillis() * factor);
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

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OracleException(OracleException.Kind.LASTING, "interrupted while waiting", e);
    }
  }

  @Override
  public void close() {
    oracle.close();
  }
}
