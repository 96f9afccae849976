package dev.vauban.bench.kernels;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.terminal.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs the JMH benchmarks of this package, kernels and whole steps, each in a fresh JVM with this
 * one's options.
 */
public final class KernelBench {
  private static final String ALLOCATION = "gc.alloc.rate.norm";
  private static final int MEASUREMENTS = 5;
  private static final int STEP_WARM =
      180; // the smallest kernels run 4 times a step, and are compiled after 5,000
  private static final TimeValue EACH = TimeValue.milliseconds(500);

  private KernelBench() {}

  /**
   * A measured kernel.
   *
   * @param name of the benchmark and its parameters
   * @param us mean microseconds of a call
   * @param usError half-width of its 99.9% interval
   * @param gflops rate, where the operations are known; else null
   * @param bytesPerOp Java heap that a call allocates; JMH's own share makes it not exactly 0
   */
  public record Row(String name, double us, double usError, Double gflops, double bytesPerOp) {}

  /**
   * Runs the benchmarks whose name matches, then the pointwise nest on subnormal numbers.
   *
   * @param match a regular expression
   * @param warmSeconds warm-up of each, at least 1
   * @param console hears where JMH writes its log
   */
  public static List<Row> run(String match, int warmSeconds, Console console) {
    try {
      Path log = Files.createTempFile("vauban-jmh-", ".log");
      console.notice("kernels: JMH's log is " + log);
      List<Row> rows = new ArrayList<>();
      String all =
          KernelBench.class.getPackageName().replace(".", "\\.") + "\\..*(" + match + ").*";
      String steps = MetaSteps.class.getName() + ".run";
      rows.addAll(rows(options(all, warmSeconds, log).exclude(steps)));
      if ("MetaSteps.run".matches(".*(" + match + ").*")) {
        int warm = Math.max(warmSeconds, STEP_WARM);
        rows.addAll(rows(options(steps, warm, log)));
      }
      if ("Nests.run".matches(".*(" + match + ").*")) {
        rows.addAll(
            rows(
                options(Nests.class.getName() + ".run", warmSeconds, log)
                    .param("program", Nests.Case.POINTWISE.name())
                    .param("values", Nests.Values.SUBNORMAL.name())));
      }
      if (rows.isEmpty()) {
        throw CommandException.badInput(
            "no kernel benchmark matches '" + match + "'; 'vauban bench --only kernels' runs all");
      }
      return rows;
    } catch (IOException | RunnerException e) {
      throw CommandException.failed("the kernel benchmarks did not run: " + e.getMessage(), e);
    }
  }

  private static ChainedOptionsBuilder options(String include, int warmSeconds, Path log) {
    return new OptionsBuilder()
        .include(include)
        .mode(Mode.AverageTime)
        .timeUnit(TimeUnit.MICROSECONDS)
        .forks(1)
        .warmupIterations(warmSeconds)
        .warmupTime(TimeValue.seconds(1))
        .measurementIterations(MEASUREMENTS)
        .measurementTime(EACH)
        .addProfiler(GCProfiler.class)
        .shouldFailOnError(true)
        .output(log.toString());
  }

  /** No rows if nothing matches. */
  private static List<Row> rows(ChainedOptionsBuilder options) throws RunnerException {
    List<Row> rows = new ArrayList<>();
    Collection<RunResult> results;
    try {
      results = new Runner(options.build()).run();
    } catch (NoBenchmarksException e) {
      return rows;
    }
    for (RunResult r : results) {
      Result<?> time = r.getPrimaryResult();
      Result<?> allocation = r.getSecondaryResults().get(ALLOCATION);
      double flops = flops(r.getParams());
      rows.add(
          new Row(
              name(r.getParams()),
              time.getScore(),
              time.getScoreError(),
              flops > 0 ? flops / time.getScore() / 1e3 : null,
              allocation == null ? Double.NaN : allocation.getScore()));
    }
    return rows;
  }

  private static String name(BenchmarkParams params) {
    String full = params.getBenchmark();
    String name = full.substring(full.lastIndexOf('.', full.lastIndexOf('.') - 1) + 1);
    StringBuilder s = new StringBuilder(name);
    params.getParamsKeys().forEach(k -> s.append(' ').append(params.getParam(k)));
    return s.toString();
  }

  private static double flops(BenchmarkParams params) {
    String name = name(params);
    if (name.startsWith(Products.class.getSimpleName() + ".")) {
      return Products.flops(params.getParam("size"));
    }
    if (name.startsWith(Convolutions.class.getSimpleName() + ".")) {
      return Convolutions.flops(params.getParam("size"));
    }
    return 0;
  }
}
