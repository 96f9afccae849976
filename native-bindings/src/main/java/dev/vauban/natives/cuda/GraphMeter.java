package dev.vauban.natives.cuda;

import java.util.ArrayList;
import java.util.List;

/**
 * How long cards worked on graphs while the meter was open, by their own clocks: a benchmark's way
 * to tell a card that waits for the host from one that is busy. What is idle within a graph counts
 * as work. There is one meter at a time.
 *
 * <pre>{@code
 * try (GraphMeter meter = GraphMeter.start()) {
 *   steps();
 *   double busy = meter.busy().milliseconds();
 * }
 * }</pre>
 */
public final class GraphMeter implements AutoCloseable {
  /**
   * What was measured.
   *
   * @param launches of graphs
   * @param milliseconds that they ran, added up
   */
  public record Busy(long launches, double milliseconds) {}

  private record Launch(CudaEvent begin, CudaEvent end) {}

  private static volatile GraphMeter running;

  private final List<Launch> launches = new ArrayList<>();
  private long count;
  private double milliseconds;

  private GraphMeter() {}

  /**
   * Measures from now on.
   *
   * @throws IllegalStateException if a meter is open
   */
  public static synchronized GraphMeter start() {
    if (running != null) {
      throw new IllegalStateException("graphs are being measured already");
    }
    running = new GraphMeter();
    return running;
  }

  static GraphMeter running() {
    return running;
  }

  synchronized void time(CudaContext context, CudaStream stream, Runnable launch) {
    CudaEvent begin = context.event();
    CudaEvent end = context.event();
    stream.record(begin);
    launch.run();
    stream.record(end);
    launches.add(new Launch(begin, end));
  }

  /** What was measured up to now; waits for graphs that run. */
  public synchronized Busy busy() {
    for (Launch l : launches) {
      milliseconds += l.end().millisecondsSince(l.begin());
      count++;
      l.begin().close();
      l.end().close();
    }
    launches.clear();
    return new Busy(count, milliseconds);
  }

  /** Measures no more. */
  @Override
  public void close() {
    synchronized (GraphMeter.class) {
      running = null;
    }
  }
}
