package dev.vauban.tensor.backend.cpu.kernels;

/** A value around and between the elements of an array: the adjoint of {@link Slice} when 0. */
public final class Pad {
  private final StridedCopy copy;
  private final Fill fill;
  private final long offset;

  /**
   * Prepares a padding.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param extents shape of the source
   * @param low elements before, per axis; at least 0
   * @param high elements after, per axis; at least 0
   * @param interior elements between two neighbours, per axis; at least 0
   * @param bits the padding's bit pattern in the lowest {@code elementSize} bytes
   * @throws IllegalArgumentException if an amount is missing or negative
   */
  public Pad(int elementSize, int[] extents, int[] low, int[] high, int[] interior, long bits) {
    int rank = extents.length;
    if (low.length != rank || high.length != rank || interior.length != rank) {
      throw new IllegalArgumentException("pad: needs one amount for each of " + rank + " axes");
    }
    int[] padded = new int[rank];
    long size = 1;
    for (int i = 0; i < rank; i++) {
      if (low[i] < 0 || high[i] < 0 || interior[i] < 0) {
        throw new IllegalArgumentException(
            "pad: amounts "
                + low[i]
                + ", "
                + high[i]
                + ", "
                + interior[i]
                + " of axis "
                + i
                + " must be at least 0");
      }
      long n = (long) low[i] + high[i] + extents[i] + Math.max(0, extents[i] - 1L) * interior[i];
      padded[i] = Math.toIntExact(n);
      size *= n;
    }
    long[] to = StridedCopy.rowMajor(padded);
    long first = 0;
    for (int i = 0; i < rank; i++) {
      first += low[i] * to[i];
      to[i] *= interior[i] + 1L;
    }
    this.offset = first * elementSize;
    this.copy = new StridedCopy(elementSize, extents, StridedCopy.rowMajor(extents), to);
    this.fill = new Fill(elementSize, size, bits);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the padding.
   *
   * @param src address of the source
   * @param dst address of the result
   * @param scratch not used
   */
  public void run(long src, long dst, long scratch) {
    fill.run(dst, scratch);
    copy.run(src, dst + offset);
  }
}
