package dev.vauban.bench.peers;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * How long something took.
 *
 * @param seconds by the clock
 * @param cpuSeconds of processor time of all threads; NaN where the system does not tell
 */
public record Timing(double seconds, double cpuSeconds) {
  /** Runs and times {@code work} in this process. */
  public static Timing of(Runnable work) {
    double cpu = processorSeconds();
    long start = System.nanoTime();
    work.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Timing(seconds, processorSeconds() - cpu);
  }

  /** Processor time of all threads of this process so far. */
  private static double processorSeconds() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9
        : Double.NaN;
  }
}
