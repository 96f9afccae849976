package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Reductions and orders. */
final class Reductions {
  private Reductions() {}

  static void reduce(ReduceOp.Reduce op, Shape in, double[] x, double[] out) {
    Arrays.fill(
        out,
        switch (op.kind()) {
          case SUM -> 0;
          case MAX -> Double.NEGATIVE_INFINITY;
          case MIN -> Double.POSITIVE_INFINITY;
        });
    forEach(
        op.axes(),
        in,
        (flat, at) ->
            out[at] =
                switch (op.kind()) {
                  case SUM -> out[at] + x[flat];
                  case MAX -> Math.max(out[at], x[flat]);
                  case MIN -> Math.min(out[at], x[flat]);
                });
  }

  /** What is done with an element and the place of its result. */
  private interface Visit {
    void of(int flat, int at);
  }

  private static void forEach(List<Integer> axes, Shape in, Visit visit) {
    long[] s = new long[in.rank()];
    long size = 1;
    for (int a = in.rank() - 1; a >= 0; a--) {
      if (!axes.contains(a)) {
        s[a] = size;
        size *= in.dim(a);
      }
    }
    Movement.walk(
        in,
        (i, flat) -> {
          long to = 0;
          for (int a = 0; a < s.length; a++) {
            to += i[a] * s[a];
          }
          visit.of(flat, (int) to);
        });
  }

  static void variance(ReduceOp.Variance op, Shape in, double[] x, double[] out) {
    ReduceOp.Reduce sum = new ReduceOp.Reduce(ReduceOp.Kind.SUM, op.axes());
    double n = (double) x.length / out.length;
    double[] mean = new double[out.length];
    reduce(sum, in, x, mean);
    double[] squares = x.clone();
    forEach(
        op.axes(),
        in,
        (flat, at) -> {
          double d = x[flat] - mean[at] / n;
          squares[flat] = d * d;
        });
    reduce(sum, in, squares, out);
    for (int i = 0; i < out.length; i++) {
      out[i] /= n;
    }
  }

  static void argReduce(ReduceOp.ArgReduce op, Shape in, double[] x, double[] out) {
    int[] split = Movement.split(in, op.axis());
    int n = in.dim(op.axis());
    boolean max = op.kind() == ReduceOp.Kind.MAX;
    for (int o = 0; o < split[0]; o++) {
      for (int i = 0; i < split[1]; i++) {
        int best = 0;
        for (int k = 1; k < n; k++) {
          double b = x[(o * n + best) * split[1] + i];
          double v = x[(o * n + k) * split[1] + i];
          if (max ? v > b : v < b) {
            best = k;
          } else if (Double.isNaN(v) && !Double.isNaN(b)) {
            best = k;
          }
        }
        out[o * split[1] + i] = best;
      }
    }
  }

  static void argSort(ReduceOp.ArgSort op, Shape in, double[] x, double[] out) {
    int[] split = Movement.split(in, op.axis());
    int n = in.dim(op.axis());
    Integer[] order = new Integer[n];
    for (int o = 0; o < split[0]; o++) {
      for (int i = 0; i < split[1]; i++) {
        for (int k = 0; k < n; k++) {
          order[k] = k;
        }
        int outer = o;
        int inner = i;
        // + 0.0 makes the two zeros equal; Double.compare puts NaN above everything.
        Comparator<Integer> by =
            (a, b) ->
                Double.compare(
                    x[(outer * n + a) * split[1] + inner] + 0.0,
                    x[(outer * n + b) * split[1] + inner] + 0.0);
        Arrays.sort(order, op.order() == ReduceOp.Order.ASCENDING ? by : by.reversed());
        for (int k = 0; k < op.k(); k++) {
          out[(o * op.k() + k) * split[1] + i] = order[k];
        }
      }
    }
  }
}
