package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * The innermost loop of every matrix product: one tile of C (at most {@link #ROWS} rows of at most
 * {@link #COLUMNS} columns) held in registers while k runs. Each step of k loads one or two vectors
 * of B, broadcasts one element of A per row and does a fused multiply-add per accumulator.
 *
 * <p>A is read through two strides, so that a row-major A, a transposed A and packed panels of
 * either are the same code. B is read as whole vectors: where the matrix has fewer columns the
 * caller packs and pads it. The six unrolled variants differ only in rows and vectors; they are
 * written out because accumulators must be local variables to live in registers.
 *
 * <p>They do one thing, C = A B, because the compiler has a budget: past about fifty vector
 * operations in a method, some accumulators become objects (measured: 20 times slower, and only in
 * some runs). So all start from one zero, and adding to C is a second step.
 */
final class Tile {
  private static final ValueLayout.OfFloat F = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Most columns of one tile: two vectors. */
  static final int COLUMNS = 2 * LANES;

  /** Most rows of one tile: 8 x 2 accumulators where there are 32 vector registers, else 4 x 2. */
  static final int ROWS = registers() >= 32 ? 8 : 4;

  /** Bytes of the scratch area of {@link #run}. */
  static final long SCRATCH_BYTES = (long) ROWS * 2 * BYTES;

  private Tile() {}

  private static int registers() {
    boolean arm = System.getProperty("os.arch", "").equals("aarch64");
    return arm || FloatVector.SPECIES_PREFERRED.length() >= 16 ? 32 : 16;
  }

  /** The width, in elements, to which a panel of B with {@code n} columns is padded. */
  static int panelWidth(int n) {
    return n > LANES ? COLUMNS : LANES;
  }

  /**
   * C[mr, nr] (+)= A[mr, k] B[k, nr]; strides are in bytes. Rows of A past {@code mr} are not read.
   *
   * @param a address of A
   * @param rs from one row of A to the next
   * @param ks from one k to the next in A
   * @param b address of B, readable for {@code panelWidth(nr)} columns
   * @param bs from one k to the next in B
   * @param k length of the reduction, at least 0
   * @param c address of C
   * @param cs from one row of C to the next
   * @param mr rows, 1 to {@link #ROWS}
   * @param nr columns, 1 to {@link #COLUMNS}
   * @param scratch {@link #SCRATCH_BYTES} bytes
   */
  static void run(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs, int mr, int nr,
      Update update, long scratch) {
    if (mr == ROWS && nr == COLUMNS && update == Update.SET) {
      if (ROWS == 8) {
        tile8x2(a, rs, ks, b, bs, k, c, cs);
      } else {
        tile4x2(a, rs, ks, b, bs, k, c, cs);
      }
    } else {
      pieces(a, rs, ks, b, bs, k, c, cs, mr, nr, update, scratch);
    }
  }

  /** In pieces of 8, 4 and 1 rows; by way of scratch where C is added to or has fewer columns. */
  private static void pieces(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs, int mr, int nr,
      Update update, long scratch) {
    int vectors = nr > LANES ? 2 : 1;
    boolean direct = nr == vectors * LANES && update == Update.SET;
    long width = (long) vectors * BYTES;
    while (mr > 0) {
      int rows = mr >= 8 ? 8 : mr >= 4 ? 4 : 1;
      long to = direct ? c : scratch;
      long stride = direct ? cs : width;
      if (vectors == 2) {
        switch (rows) {
          case 8 -> tile8x2(a, rs, ks, b, bs, k, to, stride);
          case 4 -> tile4x2(a, rs, ks, b, bs, k, to, stride);
          default -> tile1x2(a, rs, ks, b, bs, k, to, stride);
        }
      } else {
        switch (rows) {
          case 8 -> tile8x1(a, rs, ks, b, bs, k, to, stride);
          case 4 -> tile4x1(a, rs, ks, b, bs, k, to, stride);
          default -> tile1x1(a, rs, ks, b, bs, k, to, stride);
        }
      }
      if (!direct && nr == COLUMNS) {
        add(scratch, c, cs, rows);
      } else if (!direct) {
        copy(scratch, width, c, cs, rows, nr, update);
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

  private static void tile8x2(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    long a1 = a + rs;
    long a2 = a + 2 * rs;
    long a3 = a + 3 * rs;
    long a4 = a + 4 * rs;
    long a5 = a + 5 * rs;
    long a6 = a + 6 * rs;
    long a7 = a + 7 * rs;
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
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      v = FloatVector.broadcast(F32, ALL.get(F, a1 + ao));
      c10 = v.fma(b0, c10);
      c11 = v.fma(b1, c11);
      v = FloatVector.broadcast(F32, ALL.get(F, a2 + ao));
      c20 = v.fma(b0, c20);
      c21 = v.fma(b1, c21);
      v = FloatVector.broadcast(F32, ALL.get(F, a3 + ao));
      c30 = v.fma(b0, c30);
      c31 = v.fma(b1, c31);
      v = FloatVector.broadcast(F32, ALL.get(F, a4 + ao));
      c40 = v.fma(b0, c40);
      c41 = v.fma(b1, c41);
      v = FloatVector.broadcast(F32, ALL.get(F, a5 + ao));
      c50 = v.fma(b0, c50);
      c51 = v.fma(b1, c51);
      v = FloatVector.broadcast(F32, ALL.get(F, a6 + ao));
      c60 = v.fma(b0, c60);
      c61 = v.fma(b1, c61);
      v = FloatVector.broadcast(F32, ALL.get(F, a7 + ao));
      c70 = v.fma(b0, c70);
      c71 = v.fma(b1, c71);
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
    c60.intoMemorySegment(ALL, c + 6 * cs, ORDER);
    c61.intoMemorySegment(ALL, c + 6 * cs + BYTES, ORDER);
    c70.intoMemorySegment(ALL, c + 7 * cs, ORDER);
    c71.intoMemorySegment(ALL, c + 7 * cs + BYTES, ORDER);
  }

  private static void tile8x1(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
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
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      v = FloatVector.broadcast(F32, ALL.get(F, a1 + ao));
      c10 = v.fma(b0, c10);
      v = FloatVector.broadcast(F32, ALL.get(F, a2 + ao));
      c20 = v.fma(b0, c20);
      v = FloatVector.broadcast(F32, ALL.get(F, a3 + ao));
      c30 = v.fma(b0, c30);
      v = FloatVector.broadcast(F32, ALL.get(F, a4 + ao));
      c40 = v.fma(b0, c40);
      v = FloatVector.broadcast(F32, ALL.get(F, a5 + ao));
      c50 = v.fma(b0, c50);
      v = FloatVector.broadcast(F32, ALL.get(F, a6 + ao));
      c60 = v.fma(b0, c60);
      v = FloatVector.broadcast(F32, ALL.get(F, a7 + ao));
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

  private static void tile4x2(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
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
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      v = FloatVector.broadcast(F32, ALL.get(F, a1 + ao));
      c10 = v.fma(b0, c10);
      c11 = v.fma(b1, c11);
      v = FloatVector.broadcast(F32, ALL.get(F, a2 + ao));
      c20 = v.fma(b0, c20);
      c21 = v.fma(b1, c21);
      v = FloatVector.broadcast(F32, ALL.get(F, a3 + ao));
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

  private static void tile4x1(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
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
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      v = FloatVector.broadcast(F32, ALL.get(F, a1 + ao));
      c10 = v.fma(b0, c10);
      v = FloatVector.broadcast(F32, ALL.get(F, a2 + ao));
      c20 = v.fma(b0, c20);
      v = FloatVector.broadcast(F32, ALL.get(F, a3 + ao));
      c30 = v.fma(b0, c30);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c10.intoMemorySegment(ALL, c + cs, ORDER);
    c20.intoMemorySegment(ALL, c + 2 * cs, ORDER);
    c30.intoMemorySegment(ALL, c + 3 * cs, ORDER);
  }

  private static void tile1x2(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    FloatVector c01 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F32, ALL, b + BYTES, ORDER);
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      c01 = v.fma(b1, c01);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
    c01.intoMemorySegment(ALL, c + BYTES, ORDER);
  }

  private static void tile1x1(
      long a, long rs, long ks, long b, long bs, int k, long c, long cs) {
    FloatVector zero = FloatVector.zero(F32);
    FloatVector c00 = zero;
    long ao = 0;
    for (int i = 0; i < k; i++) {
      FloatVector b0 = FloatVector.fromMemorySegment(F32, ALL, b, ORDER);
      FloatVector v = FloatVector.broadcast(F32, ALL.get(F, a + ao));
      c00 = v.fma(b0, c00);
      ao += ks;
      b += bs;
    }
    c00.intoMemorySegment(ALL, c, ORDER);
  }
}
