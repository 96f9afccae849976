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
 * The innermost loop of every matrix product: a tile of C, 6 rows of two vectors or 8 rows of one,
 * held in registers while k runs. Each step of k loads one or two vectors of B, broadcasts one
 * element of A per row and does a fused multiply-add per accumulator.
 *
 * <p>A is read through two strides, so that a row-major A, a transposed A and packed panels of
 * either are the same code. B is read as whole vectors: where the matrix has fewer columns the
 * caller packs and pads it. The seven unrolled variants differ only in rows and vectors; they are
 * written out because accumulators must be local variables to live in registers.
 *
 * <p>They do one thing, C = A B, because the compiler has a budget: past about fifty vector
 * operations in a method, some accumulators become objects (measured: 20 times slower, and only in
 * some runs). So all start from one zero, and adding to C is a second step.
 */
final class Tile {
  // One element of A, read as an integer: that becomes a single broadcasting load, while reading it
  // as a float goes through a scalar register (measured: 80 against 112 GFLOP/s in an 8x1 tile).
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  /** Most columns of one call: two vectors. */
  static final int COLUMNS = 2 * LANES;

  /** Rows of the largest tile: with two vectors 12 accumulators, which 16 registers hold. */
  static final int ROWS = 6;

  /** Bytes of the scratch area of {@link #run}. */
  static final long SCRATCH_BYTES = 8L * 2 * BYTES;

  private Tile() {}

  /** The width, in elements, to which a panel of B with {@code n} columns is padded. */
  static int panelWidth(int n) {
    return n > LANES ? COLUMNS : LANES;
  }

  /**
   * C[mr, nr] (+)= A[mr, k] B[k, nr], tile after tile of rows; strides are in bytes.
   *
   * @param a address of A
   * @param rs from one row of A to the next
   * @param ks from one k to the next in A
   * @param b address of B, readable for {@code panelWidth(nr)} columns
   * @param bs from one k to the next in B
   * @param k length of the reduction, at least 0
   * @param c address of C
   * @param cs from one row of C to the next
   * @param mr rows, any number
   * @param nr columns, 1 to {@link #COLUMNS}
   * @param update whether C is overwritten or added to
   * @param scratch {@link #SCRATCH_BYTES} bytes
   */
  static void run(
      long a,
      long rs,
      long ks,
      long b,
      long bs,
      int k,
      long c,
      long cs,
      int mr,
      int nr,
      Update update,
      long scratch) {
    if (nr > LANES) {
      wide(a, rs, ks, b, bs, k, c, cs, mr, nr, update, scratch);
    } else {
      narrow(a, rs, ks, b, bs, k, c, cs, mr, nr, update, scratch);
    }
  }

  /** Two vectors of columns. By way of scratch where C is added to or has fewer columns. */
  private static void wide(
      long a,
      long rs,
      long ks,
      long b,
      long bs,
      int k,
      long c,
      long cs,
      int mr,
      int nr,
      Update update,
      long scratch) {
    boolean direct = nr == COLUMNS && update == Update.SET;
    long stride = direct ? cs : 2L * BYTES;
    // Eight accumulators hide the latency too: rather no rest than rows of six.
    int most = mr % 4 == 0 && mr % ROWS != 0 ? 4 : ROWS;
    while (mr > 0) {
      int rows = mr >= most ? most : mr >= 4 ? 4 : mr >= 2 ? 2 : 1;
      long to = direct ? c : scratch;
      switch (rows) {
        case 6 -> tile6x2(a, rs, ks, b, bs, k, to, stride);
        case 4 -> tile4x2(a, rs, ks, b, bs, k, to, stride);
        case 2 -> tile2x2(a, rs, ks, b, bs, k, to, stride);
        default -> tile1x2(a, rs, ks, b, bs, k, to, stride);
      }
      if (!direct && nr == COLUMNS) {
        add(scratch, c, cs, rows);
      } else if (!direct) {
        copy(scratch, stride, c, cs, rows, nr, update);
      }
      a += rows * rs;
      c += rows * cs;
      mr -= rows;
    }
  }

  /** One vector of columns: more rows, so that there are accumulators enough to hide latency. */
  private static void narrow(
      long a,
      long rs,
      long ks,
      long b,
      long bs,
      int k,
      long c,
      long cs,
      int mr,
      int nr,
      Update update,
      long scratch) {
    boolean direct = nr == LANES && update == Update.SET;
    long stride = direct ? cs : BYTES;
    while (mr > 0) {
      int rows = mr >= 8 ? 8 : mr >= 4 ? 4 : 1;
      long to = direct ? c : scratch;
      switch (rows) {
        case 8 -> tile8x1(a, rs, ks, b, bs, k, to, stride);
        case 4 -> tile4x1(a, rs, ks, b, bs, k, to, stride);
        default -> tile1x1(a, rs, ks, b, bs, k, to, stride);
      }
      if (!direct) {
        copy(scratch, stride, c, cs, rows, nr, update);
      }
      a += rows * rs;
      c += rows * cs;
      mr -= rows;
    }
  }

  private static void add(long from, long c, long cs, int rows) {
    for (int r = 0; r < rows; r++) {
      FloatVector.fromMemorySegment(F32, ALL, c, ORDER)
          .add(FloatVector.fromMemorySegment(F32, ALL, from, ORDER))
          .intoMemorySegment(ALL, c, ORDER);
      FloatVector.fromMemorySegment(F32, ALL, c + BYTES, ORDER)
          .add(FloatVector.fromMemorySegment(F32, ALL, from + BYTES, ORDER))
          .intoMemorySegment(ALL, c + BYTES, ORDER);
      from += 2L * BYTES;
      c += cs;
    }
  }

  private static void copy(long from, long stride, long c, long cs, int rows, int nr, Update how) {
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < nr; j += LANES) {
        var mask = F32.indexInRange(j, nr);
        FloatVector v = FloatVector.fromMemorySegment(F32, ALL, from + 4L * j, ORDER);
        if (how == Update.ADD) {
          v = v.add(FloatVector.fromMemorySegment(F32, ALL, c + 4L * j, ORDER, mask));
        }
        v.intoMemorySegment(ALL, c + 4L * j, ORDER, mask);
      }
      from += stride;
      c += cs;
    }
  }

  private static void tile6x2(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    long a2 = a + 2 * rs;
    long a3 = a + 3 * rs;
    long a4 = a + 4 * rs;
    long a5 = a + 5 * rs;
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
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      v = IntVector.broadcast(I32, ALL.get(INT, a1 + ao)).reinterpretAsFloats();
      c10 = v.fma(b0, c10);
      c11 = v.fma(b1, c11);
      v = IntVector.broadcast(I32, ALL.get(INT, a2 + ao)).reinterpretAsFloats();
      c20 = v.fma(b0, c20);
      c21 = v.fma(b1, c21);
      v = IntVector.broadcast(I32, ALL.get(INT, a3 + ao)).reinterpretAsFloats();
      c30 = v.fma(b0, c30);
      c31 = v.fma(b1, c31);
      v = IntVector.broadcast(I32, ALL.get(INT, a4 + ao)).reinterpretAsFloats();
      c40 = v.fma(b0, c40);
      c41 = v.fma(b1, c41);
      v = IntVector.broadcast(I32, ALL.get(INT, a5 + ao)).reinterpretAsFloats();
      c50 = v.fma(b0, c50);
      c51 = v.fma(b1, c51);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c11.intoMemorySegment(ALL, c + cs + BYTES, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * cs, ORDER);
    c21.intoMemorySegment(ALL, c + 2 * cs + BYTES, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * cs, ORDER);
    c31.intoMemorySegment(ALL, c + 3 * cs + BYTES, ORDER);
    c40.intoMemorySegment(ALL, c + 4 * cs, ORDER);
    c41.intoMemorySegment(ALL, c + 4 * cs + BYTES, ORDER);
    c50.intoMemorySegment(ALL, c + 5 * cs, ORDER);
    c51.intoMemorySegment(ALL, c + 5 * cs + BYTES, ORDER);
  }

  private static void tile4x2(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    long a2 = a + 2 * rs;
    long a3 = a + 3 * rs;
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    FloatVector c20 = zero;
    FloatVector c21 = zero;
    FloatVector c30 = zero;
    FloatVector c31 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      v = IntVector.broadcast(I32, ALL.get(INT, a1 + ao)).reinterpretAsFloats();
      c10 = v.fma(b0, c10);
      c11 = v.fma(b1, c11);
      v = IntVector.broadcast(I32, ALL.get(INT, a2 + ao)).reinterpretAsFloats();
      c20 = v.fma(b0, c20);
      c21 = v.fma(b1, c21);
      v = IntVector.broadcast(I32, ALL.get(INT, a3 + ao)).reinterpretAsFloats();
      c30 = v.fma(b0, c30);
      c31 = v.fma(b1, c31);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c11.intoMemorySegment(ALL, c + cs + BYTES, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * cs, ORDER);
    c21.intoMemorySegment(ALL, c + 2 * cs + BYTES, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * cs, ORDER);
    c31.intoMemorySegment(ALL, c + 3 * cs + BYTES, ORDER);
  }

  private static void tile2x2(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    FloatVector c10 = zero;
    FloatVector c11 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      v = IntVector.broadcast(I32, ALL.get(INT, a1 + ao)).reinterpretAsFloats();
      c10 = v.fma(b0, c10);
      c11 = v.fma(b1, c11);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c11.intoMemorySegment(ALL, c + cs + BYTES, ORDER);
  }

  private static void tile1x2(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
  }

  private static void tile8x1(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    long a2 = a + 2 * rs;
    long a3 = a + 3 * rs;
    long a4 = a + 4 * rs;
    long a5 = a + 5 * rs;
    long a6 = a + 6 * rs;
    long a7 = a + 7 * rs;
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c10 = zero;
    FloatVector c20 = zero;
    FloatVector c30 = zero;
    FloatVector c40 = zero;
    FloatVector c50 = zero;
    FloatVector c60 = zero;
    FloatVector c70 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      v = IntVector.broadcast(I32, ALL.get(INT, a1 + ao)).reinterpretAsFloats();
      c10 = v.fma(b0, c10);
      v = IntVector.broadcast(I32, ALL.get(INT, a2 + ao)).reinterpretAsFloats();
      c20 = v.fma(b0, c20);
      v = IntVector.broadcast(I32, ALL.get(INT, a3 + ao)).reinterpretAsFloats();
      c30 = v.fma(b0, c30);
      v = IntVector.broadcast(I32, ALL.get(INT, a4 + ao)).reinterpretAsFloats();
      c40 = v.fma(b0, c40);
      v = IntVector.broadcast(I32, ALL.get(INT, a5 + ao)).reinterpretAsFloats();
      c50 = v.fma(b0, c50);
      v = IntVector.broadcast(I32, ALL.get(INT, a6 + ao)).reinterpretAsFloats();
      c60 = v.fma(b0, c60);
      v = IntVector.broadcast(I32, ALL.get(INT, a7 + ao)).reinterpretAsFloats();
      c70 = v.fma(b0, c70);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * cs, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * cs, ORDER);
    c40.intoMemorySegment(ALL, c + 4 * cs, ORDER);
    c50.intoMemorySegment(ALL, c + 5 * cs, ORDER);
    c60.intoMemorySegment(ALL, c + 6 * cs, ORDER);
    c70.intoMemorySegment(ALL, c + 7 * cs, ORDER);
  }

  private static void tile4x1(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    long a2 = a + 2 * rs;
    long a3 = a + 3 * rs;
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c10 = zero;
    FloatVector c20 = zero;
    FloatVector c30 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      v = IntVector.broadcast(I32, ALL.get(INT, a1 + ao)).reinterpretAsFloats();
      c10 = v.fma(b0, c10);
      v = IntVector.broadcast(I32, ALL.get(INT, a2 + ao)).reinterpretAsFloats();
      c20 = v.fma(b0, c20);
      v = IntVector.broadcast(I32, ALL.get(INT, a3 + ao)).reinterpretAsFloats();
      c30 = v.fma(b0, c30);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * cs, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * cs, ORDER);
  }

  private static void tile1x1(long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector v = IntVector.broadcast(I32, ALL.get(INT, a + ao)).reinterpretAsFloats();
      c00 = v.fma(b0, c00);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
  }
}
