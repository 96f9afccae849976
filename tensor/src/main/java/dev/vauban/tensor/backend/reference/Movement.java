package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import java.util.List;

/** Operations that only move elements, by walking over every index of the result. */
final class Movement {
  private Movement() {}

  /** Visits the indices of a shape in row-major order. */
  interface Visit {
    void at(int[] index, int flat);
  }

  static void walk(Shape shape, Visit visit) {
    int[] d = shape.dims();
    int[] i = new int[d.length];
    long n = shape.size();
    for (int flat = 0; flat < n; flat++) {
      visit.at(i, flat);
      for (int a = d.length - 1; a >= 0 && ++i[a] == d[a]; a--) {
        i[a] = 0;
      }
    }
  }

  static void iota(Shape shape, int axis, double[] out) {
    walk(shape, (i, flat) -> out[flat] = i[axis]);
  }

  static void transpose(ShapeOp.Transpose t, Shape in, double[] x, double[] out) {
    int[] d = t.perm().stream().mapToInt(in::dim).toArray();
    long[] s = in.strides();
    walk(
        Shape.of(d),
        (i, flat) -> {
          long at = 0;
          for (int a = 0; a < d.length; a++) {
            at += i[a] * s[t.perm().get(a)];
          }
          out[flat] = x[(int) at];
        });
  }

  static void broadcast(ShapeOp.Broadcast b, Shape in, double[] x, double[] out) {
    long[] s = in.strides();
    walk(
        b.shape(),
        (i, flat) -> {
          long at = 0;
          for (int a = 0; a < s.length; a++) {
            at += i[b.axes().get(a)] * s[a];
          }
          out[flat] = x[(int) at];
        });
  }

  static void slice(ShapeOp.Slice op, Shape in, Shape shape, double[] x, double[] out) {
    long[] s = in.strides();
    walk(
        shape,
        (i, flat) -> {
          long at = 0;
          for (int a = 0; a < s.length; a++) {
            at += (op.starts().get(a) + (long) i[a] * op.strides().get(a)) * s[a];
          }
          out[flat] = x[(int) at];
        });
  }

  static void pad(ShapeOp.Pad op, Shape in, Shape shape, double[] x, double[] out) {
    Arrays.fill(out, 0);
    long[] s = shape.strides();
    walk(
        in,
        (i, flat) -> {
          long at = 0;
          for (int a = 0; a < s.length; a++) {
            at += (op.low().get(a) + (long) i[a] * (op.interior().get(a) + 1)) * s[a];
          }
          out[(int) at] = x[flat];
        });
  }

  static void concat(int axis, List<Type> types, List<double[]> in, Shape shape, double[] out) {
    long[] s = shape.strides();
    int at = 0;
    for (int k = 0; k < in.size(); k++) {
      double[] x = in.get(k);
      int offset = at;
      walk(
          types.get(k).shape(),
          (i, flat) -> {
            long to = offset * s[axis];
            for (int a = 0; a < s.length; a++) {
              to += i[a] * s[a];
            }
            out[(int) to] = x[flat];
          });
      at += types.get(k).shape().dim(axis);
    }
  }

  static void gather(int axis, Shape xs, double[] x, double[] idx, double[] out) {
    int[] split = split(xs, axis);
    int rows = xs.dim(axis);
    for (int o = 0; o < split[0]; o++) {
      for (int k = 0; k < idx.length; k++) {
        int row = index(idx[k], rows);
        for (int i = 0; i < split[1]; i++) {
          out[(o * idx.length + k) * split[1] + i] = x[(o * rows + row) * split[1] + i];
        }
      }
    }
  }

  static void scatterAdd(
      IndexOp.ScatterAdd op, Shape us, Shape is, double[] u, double[] idx, double[] out) {
    Arrays.fill(out, 0);
    int outer = 1;
    for (int a = 0; a < op.axis(); a++) {
      outer *= us.dim(a);
    }
    int inner = 1;
    for (int a = op.axis() + is.rank(); a < us.rank(); a++) {
      inner *= us.dim(a);
    }
    for (int o = 0; o < outer; o++) {
      for (int k = 0; k < idx.length; k++) {
        int row = index(idx[k], op.size());
        for (int i = 0; i < inner; i++) {
          out[(o * op.size() + row) * inner + i] += u[(o * idx.length + k) * inner + i];
        }
      }
    }
  }

  private static int index(double i, int size) {
    if (i < 0 || i >= size) {
      throw new IndexOutOfBoundsException("index " + (long) i + " is outside 0.." + (size - 1));
    }
    return (int) i;
  }

  /** Sizes before and after an axis. */
  static int[] split(Shape s, int axis) {
    int outer = 1;
    int inner = 1;
    for (int a = 0; a < s.rank(); a++) {
      if (a < axis) {
        outer *= s.dim(a);
      } else if (a > axis) {
        inner *= s.dim(a);
      }
    }
    return new int[] {outer, inner};
  }
}
