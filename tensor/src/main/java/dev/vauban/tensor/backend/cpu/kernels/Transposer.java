package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes one matrix with strided rows: dst[c, r] = src[r, c]. Four-byte elements go through
 * square blocks of vectors, others through small blocks of scalars.
 */
final class Transposer {
  private static final int BLOCK = 16; // scalar block: a cache line or less per row and column

  private Transposer() {}

  /**
   * Transposes.
   *
   * @param elementSize 1, 2, 4 or 8 bytes
   * @param src address of the source, [rows, columns]
   * @param srcStride bytes from one source row to the next
   * @param dst address of the result, [columns, rows]
   * @param dstStride bytes from one result row to the next
   */
  static void run(
      int elementSize, long src, long srcStride, long dst, long dstStride, int rows, int columns) {
    int r0 = 0;
    int c0 = 0;
    if (elementSize == 4) {
      r0 = rows / LANES * LANES;
      c0 = columns / LANES * LANES;
      for (int r = 0; r < r0; r += LANES) {
        for (int c = 0; c < c0; c += LANES) {
          square(src + r * srcStride + 4L * c, srcStride, dst + c * dstStride + 4L * r, dstStride);
        }
      }
    }
    // What whole vectors left over: the columns right of c0, then the rows below r0.
    if (r0 > 0 && c0 < columns) {
      scalar(
          elementSize,
          src + (long) elementSize * c0,
          srcStride,
          dst + c0 * dstStride,
          dstStride,
          r0,
          columns - c0);
    }
    if (r0 < rows) {
      scalar(
          elementSize,
          src + r0 * srcStride,
          srcStride,
          dst + (long) elementSize * r0,
          dstStride,
          rows - r0,
          columns);
    }
  }

  private static void scalar(
      int elementSize, long src, long srcStride, long dst, long dstStride, int rows, int columns) {
    for (int r0 = 0; r0 < rows; r0 += BLOCK) {
      int r1 = Math.min(rows, r0 + BLOCK);
      for (int c0 = 0; c0 < columns; c0 += BLOCK) {
        int c1 = Math.min(columns, c0 + BLOCK);
        for (int c = c0; c < c1; c++) {
          long from = src + r0 * srcStride + (long) elementSize * c;
          long to = dst + c * dstStride + (long) elementSize * r0;
          switch (elementSize) {
            case 1 -> {
              for (int r = r0; r < r1; r++, from += srcStride, to += 1) {
                Memory.setByte(to, Memory.getByte(from));
              }
            }
            case 2 -> {
              for (int r = r0; r < r1; r++, from += srcStride, to += 2) {
                Memory.setShort(to, Memory.getShort(from));
              }
            }
            case 4 -> {
              for (int r = r0; r < r1; r++, from += srcStride, to += 4) {
                Memory.setInt(to, Memory.getInt(from));
              }
            }
            default -> {
              for (int r = r0; r < r1; r++, from += srcStride, to += 8) {
                Memory.setLong(to, Memory.getLong(from));
              }
            }
          }
        }
      }
    }
  }

  // Swapping bit b of the row number with bit b of the lane number, for every b, transposes. One
  // exchange of two rows at distance d does it for one bit; X[l] = l ^ d, M holds where l & d.
  private static final VectorShuffle<Integer> X1 = VectorShuffle.fromOp(I32, l -> l ^ 1);
  private static final VectorShuffle<Integer> X2 = VectorShuffle.fromOp(I32, l -> l ^ 2);
  private static final VectorShuffle<Integer> X4 = VectorShuffle.fromOp(I32, l -> (l ^ 4) % LANES);
  private static final VectorShuffle<Integer> X8 = VectorShuffle.fromOp(I32, l -> (l ^ 8) % LANES);
  private static final VectorMask<Integer> M1 = VectorMask.fromLong(I32, 0xAAAAL);
  private static final VectorMask<Integer> M2 = VectorMask.fromLong(I32, 0xCCCCL);
  private static final VectorMask<Integer> M4 = VectorMask.fromLong(I32, 0xF0F0L);
  private static final VectorMask<Integer> M8 = VectorMask.fromLong(I32, 0xFF00L);

  /** One LANES x LANES block, two bits at a time so that half the passes over memory suffice. */
  private static void square(long src, long srcStride, long dst, long dstStride) {
    for (int i = 0; i < LANES; i += 4) {
      quad(src + i * srcStride, srcStride, dst + i * dstStride, dstStride, X1, M1, X2, M2);
    }
    if (LANES == 8) {
      for (int i = 0; i < 4; i++) {
        pair(dst + i * dstStride, dst + (i + 4) * dstStride, X4, M4);
      }
    } else if (LANES == 16) {
      for (int i = 0; i < 4; i++) {
        long at = dst + i * dstStride;
        quad(at, 4 * dstStride, at, 4 * dstStride, X4, M4, X8, M8);
      }
    }
  }

  private static void quad(
      long src,
      long s,
      long dst,
      long d,
      VectorShuffle<Integer> x,
      VectorMask<Integer> m,
      VectorShuffle<Integer> xx,
      VectorMask<Integer> mm) {
    IntVector a = IntVector.fromMemorySegment(I32, ALL, src, ORDER);
    IntVector b = IntVector.fromMemorySegment(I32, ALL, src + s, ORDER);
    IntVector c = IntVector.fromMemorySegment(I32, ALL, src + 2 * s, ORDER);
    IntVector e = IntVector.fromMemorySegment(I32, ALL, src + 3 * s, ORDER);
    IntVector a1 = a.blend(b.rearrange(x), m);
    IntVector b1 = a.rearrange(x).blend(b, m);
    IntVector c1 = c.blend(e.rearrange(x), m);
    IntVector e1 = c.rearrange(x).blend(e, m);
    a1.blend(c1.rearrange(xx), mm).intoMemorySegment(ALL, dst, ORDER);
    b1.blend(e1.rearrange(xx), mm).intoMemorySegment(ALL, dst + d, ORDER);
    a1.rearrange(xx).blend(c1, mm).intoMemorySegment(ALL, dst + 2 * d, ORDER);
    b1.rearrange(xx).blend(e1, mm).intoMemorySegment(ALL, dst + 3 * d, ORDER);
  }

  private static void pair(long p, long q, VectorShuffle<Integer> x, VectorMask<Integer> m) {
    IntVector a = IntVector.fromMemorySegment(I32, ALL, p, ORDER);
    IntVector b = IntVector.fromMemorySegment(I32, ALL, q, ORDER);
    a.blend(b.rearrange(x), m).intoMemorySegment(ALL, p, ORDER);
    a.rearrange(x).blend(b, m).intoMemorySegment(ALL, q, ORDER);
  }
}
