package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import java.util.Arrays;
import java.util.List;

/** Pooling: every operation visits the positions of every window. */
final class Pooling {
  private Pooling() {}

  static void pool(PoolOp op, List<Type> types, Shape shape, List<double[]> in, double[] out) {
    double[] a = in.get(0);
    Shape x = types.getFirst().shape();
    switch (op) {
      case PoolOp.PoolArgMax p -> {
        double[] best = new double[out.length];
        Arrays.fill(out, -1);
        visit(
            p.window(),
            x,
            shape,
            (xi, yi, k) -> {
              boolean first = out[yi] < 0;
              boolean nan = Double.isNaN(a[xi]) && !Double.isNaN(best[yi]);
              if (first || a[xi] > best[yi] || nan) {
                best[yi] = a[xi];
                out[yi] = k;
              }
            });
        Arrays.setAll(out, i -> Math.max(out[i], 0)); // windows that lie wholly over padding
      }
      case PoolOp.PoolGather p -> {
        Arrays.fill(out, 0);
        visit(
            p.window(),
            x,
            shape,
            (xi, yi, k) -> {
              if (in.get(1)[yi] == k) {
                out[yi] = a[xi];
              }
            });
      }
      case PoolOp.PoolScatter p -> {
        Arrays.fill(out, 0);
        visit(
            p.window(),
            shape,
            x,
            (xi, yi, k) -> {
              if (in.get(1)[yi] == k) {
                out[xi] += a[yi];
              }
            });
      }
      case PoolOp.PoolSum p -> {
        Arrays.fill(out, 0);
        visit(p.window(), x, shape, (xi, yi, k) -> out[yi] += a[xi]);
      }
      case PoolOp.PoolSumGradient p -> {
        Arrays.fill(out, 0);
        visit(p.window(), shape, x, (xi, yi, k) -> out[xi] += a[yi]);
      }
    }
  }

  /** A position of a window: in the image, in the pooled image, and its offset in the window. */
  private interface Position {
    void at(int xi, int yi, int offset);
  }

  private static void visit(PoolOp.PoolWindow window, Shape xs, Shape ys, Position f) {
    Window v = window.move();
    int h = xs.dim(1);
    int w = xs.dim(2);
    int c = xs.dim(3);
    for (int n = 0; n < ys.dim(0); n++) {
      for (int p = 0; p < ys.dim(1); p++) {
        for (int q = 0; q < ys.dim(2); q++) {
          for (int r = 0; r < window.h(); r++) {
            for (int s = 0; s < window.w(); s++) {
              int i = p * v.strideH() - v.top() + r * v.dilationH();
              int j = q * v.strideW() - v.left() + s * v.dilationW();
              for (int k = 0; k < c && i >= 0 && i < h && j >= 0 && j < w; k++) {
                f.at(
                    ((n * h + i) * w + j) * c + k,
                    ((n * ys.dim(1) + p) * ys.dim(2) + q) * c + k,
                    r * window.w() + s);
              }
            }
          }
        }
      }
    }
  }
}
