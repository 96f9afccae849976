package dev.vauban.adversarial.blackbox;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Counts queries before they are sent, under one cap and one rate, for one oracle or several that
 * share them. Serves one thread.
 */
public final class QueryMeter {
  private final Limits limits;
  private final Runnable gate;
  private final Consumer<Duration> sleeper;
  private final LongSupplier clock;
  private long sent;
  private long retried;
  private long freeAt = Long.MIN_VALUE;

  /** A meter at 0. */
  public QueryMeter(Limits limits) {
    this(limits, () -> {});
  }

  /**
   * A meter at 0 that can be told to end the work.
   *
   * @param gate run before every call, before it is counted, and before every wait; throws an
   *     {@link OracleException} to have no further one
   */
  public QueryMeter(Limits limits, Runnable gate) {
    this(limits, gate, QueryMeter::sleep, System::nanoTime);
  }

  /** With a sleep and a clock, in nanoseconds, that a test watches. */
  QueryMeter(Limits limits, Consumer<Duration> sleeper, LongSupplier clock) {
    this(limits, () -> {}, sleeper, clock);
  }

  private QueryMeter(Limits limits, Runnable gate, Consumer<Duration> sleeper, LongSupplier clock) {
    this.limits = limits;
    this.gate = gate;
    this.sleeper = sleeper;
    this.clock = clock;
  }

  /** The limits. */
  public Limits limits() {
    return limits;
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

  /**
   * Counts queries that are about to be sent, and waits until they may be.
   *
   * @throws OracleException if they would exceed the cap; then none is counted
   */
  void claim(int queries) {
    gate.run();
    if (queries > left()) {
      throw new OracleException(
          OracleException.Kind.LASTING,
          "the cap of %,d queries is reached: %,d were sent and the next call needs %,d"
              .formatted(limits.cap(), sent, queries));
    }
    sent += queries;
    if (limits.perSecond() == Double.POSITIVE_INFINITY) {
      return;
    }
    long now = clock.getAsLong();
    if (freeAt != Long.MIN_VALUE && freeAt > now) {
      sleeper.accept(Duration.ofNanos(freeAt - now));
      now = freeAt;
    }
    freeAt = now + (long) (queries / limits.perSecond() * 1e9);
  }

  /** Waits before a repeated call. */
  void pause(Duration time) {
    gate.run();
    retried++;
    sleeper.accept(time);
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new OracleException(OracleException.Kind.LASTING, "interrupted while waiting", e);
    }
  }
}
