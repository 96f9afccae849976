package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.Timing;
import dev.vauban.bench.steps.Contest.Contestant;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Times programs, the peak and other frameworks in turn, so that what else the machine does falls
 * on all: for each case peak, ours, peers, peak, ours, peers, and so on for every number of
 * threads. Medians are reported; shares and ratios are those of the medians.
 *
 * @param rounds measurements of each
 * @param warmSeconds least time that a step runs, with nothing left to compile, before it is
 *     measured
 * @param frameworks others to time on the same programs
 * @param console for progress
 * @param interrupt the user's wish to stop
 */
public record StepBench(
    int rounds,
    double warmSeconds,
    List<Framework> frameworks,
    Console console,
    Interrupt interrupt) {
  private static final int LEAST_WARM_RUNS = 3;
  private static final double MOST_WARM = 8; // times the least warm-up, if the compiler never rests
  private static final double LONG_ENOUGH = 2 * MOST_WARM;
  private static final long IDLE_MILLIS = 20; // of compilation in that time: none of our kernels
  private static final long CALM_MILLIS = 50; // OpenMP's threads spin for a while after a peer

  /** Measures one case at each number of threads. */
  public List<Row> measure(BenchCase step, List<Integer> threads) {
    List<Row> rows = new ArrayList<>();
    for (int n : threads) {
      try (BoundCase bound = step.bind(n);
          GemmPeak peak = new GemmPeak(n)) {
        peak.seconds();
        warm(bound);
        double rss = Resident.nowMegabytes();
        try (Contest contest = new Contest(frameworks, bound, n, console::notice)) {
          if (!frameworks.isEmpty()) {
            warm(bound); // the contest ran other programs by the same code
          }
          Row row = row(step, n, bound, peak, rss, contest.contestants());
          row.lines().forEach(console::notice);
          rows.add(row);
        }
      }
    }
    return rows;
  }

  /**
   * Runs for the given time, and then until the just-in-time compiler has had nothing to do for as
   * long again: a kernel of a few microseconds, called a few dozen times a step, is compiled late
   * (measured: a step is 4% quicker after 80 runs than after 12).
   */
  void warm(BoundCase bound) {
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    long start = System.nanoTime();
    long calm = start; // since when the compiler has been idle
    long compiled = compiler.getTotalCompilationTime();
    double least = warmSeconds * 1e9;
    for (int i = 0; i < LEAST_WARM_RUNS || System.nanoTime() - calm < least; i++) {
      if (i > 0 && System.nanoTime() - start > LONG_ENOUGH * least) {
        return; // a program that repeats its kernels for so long warms them in one run
      }
      interrupt.check("nothing was written");
      bound.run();
      long now = System.nanoTime();
      long total = compiler.getTotalCompilationTime();
      if (total - compiled > IDLE_MILLIS && now - start < MOST_WARM * least) {
        calm = now;
        compiled = total;
      }
    }
  }

  private Row row(
      BenchCase step,
      int threads,
      BoundCase bound,
      GemmPeak peak,
      double rss,
      List<Contestant> contestants) {
    List<Timing> peaks = new ArrayList<>();
    List<Timing> ours = new ArrayList<>();
    List<List<Timing>> theirs =
        contestants.stream().map(c -> (List<Timing>) new ArrayList<Timing>()).toList();
    for (int i = 0; i < rounds; i++) {
      interrupt.check("nothing was written");
      peaks.add(Timing.of(peak::seconds));
      ours.add(Timing.of(bound::run));
      for (int p = 0; p < theirs.size(); p++) {
        theirs.get(p).add(contestants.get(p).way().run());
        calm();
      }
    }
    Spread time = Spread.of(ours, Timing::seconds);
    Spread cpu = Spread.of(ours, Timing::cpuSeconds);
    Spread peakTime = Spread.of(peaks, Timing::seconds);
    Spread peakCpu = Spread.of(peaks, Timing::cpuSeconds);
    double gflop = bound.flops() / 1e9;
    double peakGflop = peak.flops() / 1e9;
    List<Peer> peers = new ArrayList<>();
    for (int p = 0; p < theirs.size(); p++) {
      peers.add(peer(contestants.get(p), theirs.get(p), time, cpu));
    }
    return new Row(
        step.name(),
        step.title(),
        step.precision().label(),
        threads,
        1e3 * time.median(),
        1e3 * time.least(),
        1e3 * time.most(),
        gflop,
        peakGflop / peakTime.median(),
        peakGflop / peakTime.least(),
        gflop / time.median() / (peakGflop / peakTime.median()),
        gflop / time.least() / (peakGflop / peakTime.least()),
        gflop / cpu.median() / (peakGflop / peakCpu.median()),
        bound.compileSeconds(),
        bound.bytes() / 1048576.0,
        rss,
        peers);
  }

  private static Peer peer(Contestant c, List<Timing> timings, Spread ours, Spread oursCpu) {
    Spread time = Spread.of(timings, Timing::seconds);
    Spread cpu = Spread.of(timings, Timing::cpuSeconds);
    return new Peer(
        c.way().name(),
        1e3 * time.median(),
        time.median() / ours.median(),
        1e3 * time.least(),
        1e3 * time.most(),
        cpu.median() / oursCpu.median(),
        c.checkError(),
        c.gradientError());
  }

  private static void calm() {
    try {
      Thread.sleep(CALM_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
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
   * @param rssMb resident memory of the process after warm-up, before this row's peers ran; what
   *     peers of earlier rows left is part of it
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
    List<String> lines() {
      List<String> lines = new ArrayList<>();
      lines.add(
          String.format(
              Locale.ROOT,
              "%s, %d thread(s): %.0f ms, %.1f GFLOP, %.1f%% of the peak of %.0f GFLOP/s"
                  + " (%.1f%% by processor time)",
              name,
              threads,
              ms,
              gflop,
              100 * shareOfPeak,
              peakGflops,
              100 * shareOfPeakCpu));
      peers.forEach(p -> lines.add("  " + p.line()));
      return lines;
    }
  }

  /**
   * Another framework on the same program in the same run.
   *
   * @param name of the framework, the way it ran and the memory allocator
   * @param ms its median milliseconds
   * @param ratio of its time to ours, medians of both
   * @param msMin the least
   * @param msMax the most
   * @param ratioCpu of its processor time to ours
   * @param checkError how far its result is from ours on a small case of the same program, relative
   *     to the result's length
   * @param gradientError the same on the timed data, where rounding decides some branches
   */
  public record Peer(
      String name,
      double ms,
      double ratio,
      double msMin,
      double msMax,
      double ratioCpu,
      double checkError,
      double gradientError) {
    /** All of it in one line. */
    public String line() {
      return String.format(
          Locale.ROOT,
          "%s: %.0f ms (%.0f to %.0f), %.2f times ours (%.2f by processor time); result"
              + " within %.0e, on this data %.0e",
          name,
          ms,
          msMin,
          msMax,
          ratio,
          ratioCpu,
          checkError,
          gradientError);
    }
  }
}
