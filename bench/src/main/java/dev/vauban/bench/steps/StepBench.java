package dev.vauban.bench.steps;

import com.sun.management.OperatingSystemMXBean;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Times meta-steps and the peak in turn, so that what else the machine does falls on both: for each
 * case peak, step, peak, step, and so on for every number of threads. Medians are reported, and the
 * share of the peak is the ratio of the medians.
 *
 * @param rounds measurements of each
 * @param warmSeconds least time that a step runs before it is measured
 * @param console for progress
 * @param interrupt the user's wish to stop
 */
public record StepBench(int rounds, double warmSeconds, Console console, Interrupt interrupt) {
  private static final int LEAST_WARM_RUNS = 3;

  /** Measures one case at each number of threads. */
  public List<Row> measure(StepCase step, List<Integer> threads) {
    List<Row> rows = new ArrayList<>();
    for (int n : threads) {
      try (BoundStep bound = new BoundStep(step, n);
          GemmPeak peak = new GemmPeak(n)) {
        warm(bound, peak);
        double[] seconds = new double[rounds];
        double[] peakSeconds = new double[rounds];
        double[] cpu = new double[rounds];
        double[] peakCpu = new double[rounds];
        for (int i = 0; i < rounds; i++) {
          interrupt.check("nothing was written");
          double before = cpuSeconds();
          peakSeconds[i] = peak.seconds();
          double between = cpuSeconds();
          long start = System.nanoTime();
          bound.run();
          seconds[i] = (System.nanoTime() - start) / 1e9;
          cpu[i] = cpuSeconds() - between;
          peakCpu[i] = between - before;
        }
        Row row = row(step, n, bound, seconds, cpu, peak.flops(), peakSeconds, peakCpu);
        console.notice(row.line());
        rows.add(row);
      }
    }
    return rows;
  }

  private void warm(BoundStep bound, GemmPeak peak) {
    peak.seconds();
    long start = System.nanoTime();
    for (int i = 0; i < LEAST_WARM_RUNS || System.nanoTime() - start < warmSeconds * 1e9; i++) {
      interrupt.check("nothing was written");
      bound.run();
    }
  }

  private static Row row(
      StepCase step,
      int threads,
      BoundStep bound,
      double[] seconds,
      double[] cpu,
      long peakFlops,
      double[] peakSeconds,
      double[] peakCpu) {
    for (double[] values : List.of(seconds, cpu, peakSeconds, peakCpu)) {
      Arrays.sort(values);
    }
    double gflop = bound.flops() / 1e9;
    double peak = peakFlops / 1e9 / median(peakSeconds);
    double bestPeak = peakFlops / 1e9 / peakSeconds[0];
    return new Row(
        step.name(),
        step.title(),
        "f32",
        threads,
        1e3 * median(seconds),
        1e3 * seconds[0],
        1e3 * seconds[seconds.length - 1],
        gflop,
        peak,
        bestPeak,
        gflop / median(seconds) / peak,
        gflop / seconds[0] / bestPeak,
        gflop / median(cpu) / (peakFlops / 1e9 / median(peakCpu)),
        bound.compileSeconds(),
        bound.bytes() / 1048576.0,
        residentMegabytes(),
        List.of());
  }

  private static double median(double[] sorted) {
    int n = sorted.length;
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }

  /** Processor time of all threads of this process. */
  private static double cpuSeconds() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9
        : Double.NaN;
  }

  /** Resident memory of this process; 0 where the system does not tell. */
  private static double residentMegabytes() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  /**
   * A measured case.
   *
   * @param name of the case
   * @param title for people
   * @param precision of the arithmetic
   * @param threads workers
   * @param ms median milliseconds of a step
   * @param msMin the least
   * @param msMax the most
   * @param gflop 10^9 floating-point operations of a step, by the plan's count
   * @param peakGflops the peak measured in turn with it: median GFLOP/s of the matrix product
   * @param peakGflopsMax the same, its best
   * @param shareOfPeak the step's median rate over the peak's median rate
   * @param shareOfPeakBest the step's best rate over the peak's best rate
   * @param shareOfPeakCpu the same ratio of medians, of processor time instead of wall time: what
   *     it would be if nothing else ran on the machine and no thread waited for another
   * @param compileSeconds tracing and compiling
   * @param slabMb working memory of the plan
   * @param rssMb resident memory of the process then
   * @param peers other frameworks on the same program
   */
  public record Row(
      String name,
      String title,
      String precision,
      int threads,
      double ms,
      double msMin,
      double msMax,
      double gflop,
      double peakGflops,
      double peakGflopsMax,
      double shareOfPeak,
      double shareOfPeakBest,
      double shareOfPeakCpu,
      double compileSeconds,
      double slabMb,
      double rssMb,
      List<Peer> peers) {
    String line() {
      return String.format(
          Locale.ROOT,
          "%s, %d thread(s): %.0f ms, %.1f GFLOP, %.1f%% of the peak of %.0f GFLOP/s"
              + " (%.1f%% by processor time)",
          name,
          threads,
          ms,
          gflop,
          100 * shareOfPeak,
          peakGflops,
          100 * shareOfPeakCpu);
    }
  }

  /**
   * Another framework on the same program in the same run.
   *
   * @param name of the framework
   * @param ms its median milliseconds
   * @param ratio of its time to ours
   */
  public record Peer(String name, double ms, double ratio) {}
}
