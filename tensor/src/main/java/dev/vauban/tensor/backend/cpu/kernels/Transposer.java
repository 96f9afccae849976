package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.getInt;
import static dev.vauban.tensor.backend.cpu.kernels.Memory.setInt;

/** Transposes one matrix of 4-byte elements with strided rows. */
final class Transposer {
  private static final int BLOCK = 16; // 16 x 16 elements: one cache line per row and column

  private Transposer() {}

  /**
   * dst[c, r] = src[r, c].
   *
   * @param src address of the source, [rows, columns]
   * @param srcStride bytes from one source row to the next
   * @param dst address of the result, [columns, rows]
   * @param dstStride bytes from one result row to the next
   */
  static void run(long src, long srcStride, long dst, long dstStride, int rows, int columns) {
    for (int r0 = 0; r0 < rows; r0 += BLOCK) {
      int r1 = Math.min(rows, r0 + BLOCK);
      for (int c0 = 0; c0 < columns; c0 += BLOCK) {
        int c1 = Math.min(columns, c0 + BLOCK);
        for (int c = c0; c < c1; c++) {
          long from = src + r0 * srcStride + 4L * c;
          long to = dst + c * dstStride + 4L * r0;
          for (int r = r0; r < r1; r++) {
            setInt(to, getInt(from));
            from += srcStride;
            to += 4;
          }
        }
      }
    }
  }
}
