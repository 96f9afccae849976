package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Timing;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Several measurements of the same: the least, the median, the most. */
record Spread(double least, double median, double most) {
  static Spread of(List<Timing> timings, ToDoubleFunction<Timing> what) {
    double[] sorted = timings.stream().mapToDouble(what).toArray();
    Arrays.sort(sorted);
    int n = sorted.length;
    return new Spread(sorted[0], (sorted[(n - 1) / 2] + sorted[n / 2]) / 2, sorted[n - 1]);
  }
}
