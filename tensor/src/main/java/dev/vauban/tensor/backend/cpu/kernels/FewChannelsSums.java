package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The innermost loop of {@link FewChannelsKernelGradient}: nine taps times one or two vectors of
 * filters, summed over rows of results in registers. They start from zero, and adding them to what
 * is there is a second step, for the reason given in {@link Tile}.
 */
final class FewChannelsSums {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED; // as in Tile
  private static final int TAPS = 9;

  /** Bytes of the scratch area of {@link #run}. */
  static final long SCRATCH_BYTES = 2L * TAPS * BYTES;

  private FewChannelsSums() {}

  /**
   * C[9, vectors] += windows[rows, k, 9] transposed, times B[rows, k, vectors]; strides are in
   * bytes.
   *
   * @param r0 address of numbers 0 to 2 of the first window
   * @param r1 address of numbers 3 to 5 of the first window
   * @param r2 address of numbers 6 to 8 of the first window
   * @param step from one window to the next
   * @param skip from where a window would follow the last of a row to the first of the next row
   * @param b address of B
   * @param bs from one k to the next in B, and from the last of a row to the first of the next
   * @param rows rows of results
   * @param k results of a row
   * @param c address of C
   * @param cs from one row of C to the next
   * @param vectors 1 or 2
   * @param scratch {@link #SCRATCH_BYTES} bytes
   */
  static void run(
      long r0,
      long r1,
      long r2,
      long step,
      long skip,
      long b,
      long bs,
      int rows,
      int k,
      long c,
      long cs,
      int vectors,
      long scratch) {
    if (vectors == 2) {
      two(r0, r1, r2, step, skip, b, bs, rows, k, scratch);
    } else {
      one(r0, r1, r2, step, skip, b, bs, rows, k, scratch);
    }
    for (int t = 0; t < TAPS; t++) {
      for (int v = 0; v < vectors; v++) {
        long to = c + (long) v * BYTES;
        FloatVector.fromMemorySegment(F32, ALL, to, ORDER)
            .add(FloatVector.fromMemorySegment(F32, ALL, scratch, ORDER))
            .intoMemorySegment(ALL, to, ORDER);
        scratch += BYTES;
      }
      c += cs;
    }
  }

  private static void two(
      long r0, long r1, long r2, long step, long skip, long b, long bs, int rows, int k, long c) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    FloatVector c40 = zero;
    FloatVector c41 = zero;
    FloatVector c50 = zero;
    FloatVector c51 = zero;
    FloatVector c60 = zero;
    FloatVector c61 = zero;
    FloatVector c70 = zero;
    FloatVector c71 = zero;
    FloatVector c80 = zero;
    FloatVector c81 = zero;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < k; j++) {
        FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
        FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
        c00 = v.fma(b0, c00);
        c01 = v.fma(b1, c01);
        v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
        c10 = v.fma(b0, c10);
        c11 = v.fma(b1, c11);
        v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
        c20 = v.fma(b0, c20);
        c21 = v.fma(b1, c21);
        v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
        c30 = v.fma(b0, c30);
        c31 = v.fma(b1, c31);
        v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
        c40 = v.fma(b0, c40);
        c41 = v.fma(b1, c41);
        v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
        c50 = v.fma(b0, c50);
        c51 = v.fma(b1, c51);
        v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
        c60 = v.fma(b0, c60);
        c61 = v.fma(b1, c61);
        v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
        c70 = v.fma(b0, c70);
        c71 = v.fma(b1, c71);
        v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
        c80 = v.fma(b0, c80);
        c81 = v.fma(b1, c81);
        r0 += step;
        r1 += step;
        r2 += step;
        b += bs;
      }
      r0 += skip;
      r1 += skip;
      r2 += skip;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
    c10.intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
    c11.intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
    c20.intoMemorySegment(ALL, c + 4 * BYTES, ORDER);
    c21.intoMemorySegment(ALL, c + 5 * BYTES, ORDER);
    c30.intoMemorySegment(ALL, c + 6 * BYTES, ORDER);
    c31.intoMemorySegment(ALL, c + 7 * BYTES, ORDER);
    c40.intoMemorySegment(ALL, c + 8 * BYTES, ORDER);
    c41.intoMemorySegment(ALL, c + 9 * BYTES, ORDER);
    c50.intoMemorySegment(ALL, c + 10 * BYTES, ORDER);
    c51.intoMemorySegment(ALL, c + 11 * BYTES, ORDER);
    c60.intoMemorySegment(ALL, c + 12 * BYTES, ORDER);
    c61.intoMemorySegment(ALL, c + 13 * BYTES, ORDER);
    c70.intoMemorySegment(ALL, c + 14 * BYTES, ORDER);
    c71.intoMemorySegment(ALL, c + 15 * BYTES, ORDER);
    c80.intoMemorySegment(ALL, c + 16 * BYTES, ORDER);
    c81.intoMemorySegment(ALL, c + 17 * BYTES, ORDER);
  }

  private static void one(
      long r0, long r1, long r2, long step, long skip, long b, long bs, int rows, int k, long c) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c10 = zero;
    FloatVector c20 = zero;
    FloatVector c30 = zero;
    FloatVector c40 = zero;
    FloatVector c50 = zero;
    FloatVector c60 = zero;
    FloatVector c70 = zero;
    FloatVector c80 = zero;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < k; j++) {
        FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
        FloatVector v = IntVector.broadcast(I32, ALL.get(INT, r0)).reinterpretAsFloats();
        c00 = v.fma(b0, c00);
        v = IntVector.broadcast(I32, ALL.get(INT, r0 + 4)).reinterpretAsFloats();
        c10 = v.fma(b0, c10);
        v = IntVector.broadcast(I32, ALL.get(INT, r0 + 8)).reinterpretAsFloats();
        c20 = v.fma(b0, c20);
        v = IntVector.broadcast(I32, ALL.get(INT, r1)).reinterpretAsFloats();
        c30 = v.fma(b0, c30);
        v = IntVector.broadcast(I32, ALL.get(INT, r1 + 4)).reinterpretAsFloats();
        c40 = v.fma(b0, c40);
        v = IntVector.broadcast(I32, ALL.get(INT, r1 + 8)).reinterpretAsFloats();
        c50 = v.fma(b0, c50);
        v = IntVector.broadcast(I32, ALL.get(INT, r2)).reinterpretAsFloats();
        c60 = v.fma(b0, c60);
        v = IntVector.broadcast(I32, ALL.get(INT, r2 + 4)).reinterpretAsFloats();
        c70 = v.fma(b0, c70);
        v = IntVector.broadcast(I32, ALL.get(INT, r2 + 8)).reinterpretAsFloats();
        c80 = v.fma(b0, c80);
        r0 += step;
        r1 += step;
        r2 += step;
        b += bs;
      }
      r0 += skip;
      r1 += skip;
      r2 += skip;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c10.intoMemorySegment(ALL, c + BYTES, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * BYTES, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * BYTES, ORDER);
    c40.intoMemorySegment(ALL, c + 4 * BYTES, ORDER);
    c50.intoMemorySegment(ALL, c + 5 * BYTES, ORDER);
    c60.intoMemorySegment(ALL, c + 6 * BYTES, ORDER);
    c70.intoMemorySegment(ALL, c + 7 * BYTES, ORDER);
    c80.intoMemorySegment(ALL, c + 8 * BYTES, ORDER);
  }
}
