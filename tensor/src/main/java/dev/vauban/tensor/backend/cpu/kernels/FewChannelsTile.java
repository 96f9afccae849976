package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The innermost loop of {@link FewChannelsForward}: nine numbers of each window times nine rows of
 * the kernel, one or two vectors of filters wide, which stay in registers. A broadcast takes as
 * long as two multiplications, so that two vectors take little longer than one.
 *
 * <p>Loads are written out, not put in a method of their own: the just-in-time compiler stops
 * inlining ordinary methods into one that has grown large, and then every vector is an object
 * (measured: 8 times slower). The Vector API's own methods it always inlines.
 */
final class FewChannelsTile {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED; // as in Tile

  private FewChannelsTile() {}

  /**
   * A row of results: y[n, filters] (+)= windows[n, 9] w[9, filters]; strides are in bytes.
   *
   * @param r0 address of numbers 0 to 2 of the first window
   * @param r1 address of numbers 3 to 5 of the first window
   * @param r2 address of numbers 6 to 8 of the first window
   * @param step from one window to the next
   * @param w address of the kernel's first row
   * @param ws from one row of the kernel to the next
   * @param y address of the first result
   * @param ys from one result to the next
   * @param n number of results
   * @param filters a multiple of {@link Species#LANES}
   * @param update whether y is overwritten or added to
   */
  static void run(
      long r0,
      long r1,
      long r2,
      long step,
      long w,
      long ws,
      long y,
      long ys,
      int n,
      int filters,
      Update update) {
    boolean add = update == Update.ADD;
    for (; filters >= 2 * LANES; filters -= 2 * LANES) {
      if (add) {
        addTwo(r0, r1, r2, step, w, ws, y, ys, n);
      } else {
        setTwo(r0, r1, r2, step, w, ws, y, ys, n);
      }
      w += 2L * BYTES;
      y += 2L * BYTES;
    }
    if (filters > 0) {
      if (add) {
        addOne(r0, r1, r2, step, w, ws, y, ys, n);
      } else {
        setOne(r0, r1, r2, step, w, ws, y, ys, n);
      }
    }
  }

  private static void setTwo(
      long r0, long r1, long r2, long step, long w, long ws, long y, long ys, int n) {
    FloatVector w00 = FloatVector.fromMemorySegment(F32, ALL, w, ORDER);
    FloatVector w01 = FloatVector.fromMemorySegment(F32, ALL, w + BYTES, ORDER);
    FloatVector w10 = FloatVector.fromMemorySegment(F32, ALL, w + ws, ORDER);
    FloatVector w11 = FloatVector.fromMemorySegment(F32, ALL, w + ws + BYTES, ORDER);
    FloatVector w20 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws, ORDER);
    FloatVector w21 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws + BYTES, ORDER);
    FloatVector w30 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws, ORDER);
    FloatVector w31 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws + BYTES, ORDER);
    FloatVector w40 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws, ORDER);
    FloatVector w41 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws + BYTES, ORDER);
    FloatVector w50 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws, ORDER);
    FloatVector w51 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws + BYTES, ORDER);
    FloatVector w60 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws, ORDER);
    FloatVector w61 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws + BYTES, ORDER);
    FloatVector w70 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws, ORDER);
    FloatVector w71 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws + BYTES, ORDER);
    FloatVector w80 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws, ORDER);
    FloatVector w81 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws + BYTES, ORDER);
    for (int i = 0; i < n; i++) {
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
      FloatVector c0 = v.mul(w00);
      FloatVector c1 = v.mul(w01);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
      c0 = v.fma(w10, c0);
      c1 = v.fma(w11, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
      c0 = v.fma(w20, c0);
      c1 = v.fma(w21, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
      c0 = v.fma(w30, c0);
      c1 = v.fma(w31, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
      c0 = v.fma(w40, c0);
      c1 = v.fma(w41, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
      c0 = v.fma(w50, c0);
      c1 = v.fma(w51, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
      c0 = v.fma(w60, c0);
      c1 = v.fma(w61, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
      c0 = v.fma(w70, c0);
      c1 = v.fma(w71, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
      c0 = v.fma(w80, c0);
      c1 = v.fma(w81, c1);
      c0.intoMemorySegment(ALL, y, ORDER);
      c1.intoMemorySegment(ALL, y + BYTES, ORDER);
      r0 += step;
      r1 += step;
      r2 += step;
      y += ys;
    }
  }

  private static void addTwo(
      long r0, long r1, long r2, long step, long w, long ws, long y, long ys, int n) {
    FloatVector w00 = FloatVector.fromMemorySegment(F32, ALL, w, ORDER);
    FloatVector w01 = FloatVector.fromMemorySegment(F32, ALL, w + BYTES, ORDER);
    FloatVector w10 = FloatVector.fromMemorySegment(F32, ALL, w + ws, ORDER);
    FloatVector w11 = FloatVector.fromMemorySegment(F32, ALL, w + ws + BYTES, ORDER);
    FloatVector w20 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws, ORDER);
    FloatVector w21 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws + BYTES, ORDER);
    FloatVector w30 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws, ORDER);
    FloatVector w31 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws + BYTES, ORDER);
    FloatVector w40 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws, ORDER);
    FloatVector w41 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws + BYTES, ORDER);
    FloatVector w50 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws, ORDER);
    FloatVector w51 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws + BYTES, ORDER);
    FloatVector w60 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws, ORDER);
    FloatVector w61 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws + BYTES, ORDER);
    FloatVector w70 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws, ORDER);
    FloatVector w71 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws + BYTES, ORDER);
    FloatVector w80 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws, ORDER);
    FloatVector w81 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws + BYTES, ORDER);
    for (int i = 0; i < n; i++) {
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
      FloatVector c0 = v.fma(w00, FloatVector.fromMemorySegment(F32, ALL, y, ORDER));
      FloatVector c1 = v.fma(w01, FloatVector.fromMemorySegment(F32, ALL, y + BYTES, ORDER));
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
      c0 = v.fma(w10, c0);
      c1 = v.fma(w11, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
      c0 = v.fma(w20, c0);
      c1 = v.fma(w21, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
      c0 = v.fma(w30, c0);
      c1 = v.fma(w31, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
      c0 = v.fma(w40, c0);
      c1 = v.fma(w41, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
      c0 = v.fma(w50, c0);
      c1 = v.fma(w51, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
      c0 = v.fma(w60, c0);
      c1 = v.fma(w61, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
      c0 = v.fma(w70, c0);
      c1 = v.fma(w71, c1);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
      c0 = v.fma(w80, c0);
      c1 = v.fma(w81, c1);
      c0.intoMemorySegment(ALL, y, ORDER);
      c1.intoMemorySegment(ALL, y + BYTES, ORDER);
      r0 += step;
      r1 += step;
      r2 += step;
      y += ys;
    }
  }

  private static void setOne(
      long r0, long r1, long r2, long step, long w, long ws, long y, long ys, int n) {
    FloatVector w00 = FloatVector.fromMemorySegment(F32, ALL, w, ORDER);
    FloatVector w10 = FloatVector.fromMemorySegment(F32, ALL, w + ws, ORDER);
    FloatVector w20 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws, ORDER);
    FloatVector w30 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws, ORDER);
    FloatVector w40 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws, ORDER);
    FloatVector w50 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws, ORDER);
    FloatVector w60 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws, ORDER);
    FloatVector w70 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws, ORDER);
    FloatVector w80 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws, ORDER);
    for (int i = 0; i < n; i++) {
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
      FloatVector c0 = v.mul(w00);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
      c0 = v.fma(w10, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
      c0 = v.fma(w20, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
      c0 = v.fma(w30, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
      c0 = v.fma(w40, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
      c0 = v.fma(w50, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
      c0 = v.fma(w60, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
      c0 = v.fma(w70, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
      c0 = v.fma(w80, c0);
      c0.intoMemorySegment(ALL, y, ORDER);
      r0 += step;
      r1 += step;
      r2 += step;
      y += ys;
    }
  }

  private static void addOne(
      long r0, long r1, long r2, long step, long w, long ws, long y, long ys, int n) {
    FloatVector w00 = FloatVector.fromMemorySegment(F32, ALL, w, ORDER);
    FloatVector w10 = FloatVector.fromMemorySegment(F32, ALL, w + ws, ORDER);
    FloatVector w20 = FloatVector.fromMemorySegment(F32, ALL, w + 2 * ws, ORDER);
    FloatVector w30 = FloatVector.fromMemorySegment(F32, ALL, w + 3 * ws, ORDER);
    FloatVector w40 = FloatVector.fromMemorySegment(F32, ALL, w + 4 * ws, ORDER);
    FloatVector w50 = FloatVector.fromMemorySegment(F32, ALL, w + 5 * ws, ORDER);
    FloatVector w60 = FloatVector.fromMemorySegment(F32, ALL, w + 6 * ws, ORDER);
    FloatVector w70 = FloatVector.fromMemorySegment(F32, ALL, w + 7 * ws, ORDER);
    FloatVector w80 = FloatVector.fromMemorySegment(F32, ALL, w + 8 * ws, ORDER);
    for (int i = 0; i < n; i++) {
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
      FloatVector c0 = v.fma(w00, FloatVector.fromMemorySegment(F32, ALL, y, ORDER));
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
      c0 = v.fma(w10, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
      c0 = v.fma(w20, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
      c0 = v.fma(w30, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
      c0 = v.fma(w40, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
      c0 = v.fma(w50, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
      c0 = v.fma(w60, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
      c0 = v.fma(w70, c0);
      v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
      c0 = v.fma(w80, c0);
      c0.intoMemorySegment(ALL, y, ORDER);
      r0 += step;
      r1 += step;
      r2 += step;
      y += ys;
    }
  }
}
