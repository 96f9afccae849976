package dev.vauban.tensor.backend.cpu;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the time goes: with {@code -Dvauban.profile=true} every call is timed. Off, it costs
 * nothing.
 */
public final class Profile {
  static final boolean ON = Boolean.getBoolean("vauban.profile");

  private static final Map<Code, long[]> TIMES = new HashMap<>();

  private Profile() {}

  static synchronized void add(Code code, long[] nanos) {
    long[] sum = TIMES.computeIfAbsent(code, c -> new long[nanos.length]);
    for (int i = 0; i < nanos.length; i++) {
      sum[i] += nanos[i];
    }
    Arrays.fill(nanos, 0);
  }

  /** Forgets what was timed so far. */
  public static synchronized void reset() {
    TIMES.clear();
  }

  /** A table of kernels by time: share, milliseconds, calls in the plan, GFLOP/s, label. */
  public static synchronized String table(int rows) {
    Map<String, long[]> byLabel = new LinkedHashMap<>();
    long total = 0;
    for (Map.Entry<Code, long[]> e : TIMES.entrySet()) {
      List<Step> steps = e.getKey().steps();
      for (int i = 0; i < steps.size(); i++) {
        if (steps.get(i) instanceof MapStep || steps.get(i) instanceof LoopStep) {
          continue;
        }
        long[] row = byLabel.computeIfAbsent(steps.get(i).label(), k -> new long[3]);
        row[0] += e.getValue()[i];
        row[1]++;
        row[2] += steps.get(i).flops();
        total += e.getValue()[i];
      }
    }
    long all = Math.max(total, 1);
    StringBuilder s = new StringBuilder("share      ms  steps  kernel\n");
    byLabel.entrySet().stream()
        .sorted(Comparator.comparingLong(e -> -e.getValue()[0]))
        .limit(rows)
        .forEach(e ->
            s.append(
                "%5.1f%% %7.1f %6d  %s%n"
                    .formatted(
                        100.0 * e.getValue()[0] / all,
                        e.getValue()[0] / 1e6,
                        e.getValue()[1],
                        e.getKey())));
    return s.append("%d kernels, %.1f ms in all%n".formatted(byLabel.size(), total / 1e6))
        .toString();
  }
}
