package dev.vauban.cli.run;

import java.time.Duration;

/** How long a session has worked since this was made. */
public final class SessionClock {
  private final long begun = System.nanoTime();
  private final Duration processorBegun = processorTime();

  /** Wall time, in seconds. */
  public double seconds() {
    return (System.nanoTime() - begun) / 1e9;
  }

  /**
   * Processor time of all threads, in seconds: other work on the machine stretches the wall time,
   * not this. 0 where the system does not tell.
   */
  public double processorSeconds() {
    return processorTime().minus(processorBegun).toNanos() / 1e9;
  }

  private static Duration processorTime() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }
}
