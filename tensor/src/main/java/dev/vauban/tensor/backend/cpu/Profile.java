package dev.vauban.tensor.backend.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the time goes: plans that are compiled while this is on time each of their kernel calls, in
 * the worker that runs it. Other plans pay nothing.
 */
public final class Profile {
  private static volatile boolean on;

  private static final Map<Code, Times> TIMES = new IdentityHashMap<>();

  private Profile() {}

  private static final class Times {
    final long[] nanos;
    long runs;

    Times(int steps) {
      nanos = new long[steps];
    }
  }

  /**
   * All calls of one kernel on arrays of the same shapes.
   *
   * @param kernel its label in plans
   * @param calls how many there were
   * @param seconds of all calls and workers together
   * @param flops floating-point operations of all calls
   */
  public record Row(String kernel, long calls, double seconds, long flops) {}

  /** Whether plans compiled from now on are timed. */
  public static void enable(boolean timed) {
    on = timed;
  }

  static boolean on() {
    return on;
  }

  /** Adds a run of the code, and clears {@code nanos}. */
  static synchronized void add(Code code, long[] nanos) {
    Times times = TIMES.computeIfAbsent(code, c -> new Times(nanos.length));
    times.runs++;
    for (int i = 0; i < nanos.length; i++) {
      times.nanos[i] += nanos[i];
    }
    Arrays.fill(nanos, 0);
  }

  /** Forgets what was timed so far. */
  public static synchronized void reset() {
    TIMES.clear();
  }

  /** What was timed since the last reset, the longest first. */
  public static synchronized List<Row> rows() {
    Map<String, Row> byKernel = new LinkedHashMap<>();
    TIMES.forEach((code, times) -> {
      for (int i = 0; i < code.steps().size(); i++) {
        Step step = code.steps().get(i);
        if (step instanceof MapStep || step instanceof LoopStep) {
          continue; // their bodies are timed
        }
        Row row =
            new Row(step.label(), times.runs, times.nanos[i] / 1e9, times.runs * step.flops());
        byKernel.merge(step.label(), row, Profile::sum);
      }
    });
    List<Row> rows = new ArrayList<>(byKernel.values());
    rows.sort(Comparator.comparingDouble(r -> -r.seconds()));
    return rows;
  }

  private static Row sum(Row a, Row b) {
    return new Row(
        a.kernel(), a.calls() + b.calls(), a.seconds() + b.seconds(), a.flops() + b.flops());
  }
}
