package dev.vauban.tensor.backend.cpu.kernels;

/** Arrays [outer, size of each, inner] one after another along the middle axis. */
public final class Concat {
  private final int outer;
  private final long[] bytes; // of one outer row of each source

  /**
   * Prepares a concatenation.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param outer product of the sizes before the axis
   * @param sizes size of each source along the axis
   * @param inner product of the sizes after the axis
   * @throws IllegalArgumentException if a size is negative
   */
  public Concat(int elementSize, int outer, int[] sizes, int inner) {
    StridedCopy.checkElement(elementSize);
    this.outer = outer;
    this.bytes = new long[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      if (outer < 0 || inner < 0 || sizes[i] < 0) {
        throw new IllegalArgumentException(
            "concat: sizes [" + outer + ", " + sizes[i] + ", " + inner + "] of source " + i);
      }
      bytes[i] = (long) sizes[i] * inner * elementSize;
    }
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the concatenation.
   *
   * @param sources addresses of the sources, in order
   * @param dst address of the result
   * @param scratch not used
   */
  public void run(long[] sources, long dst, long scratch) {
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < bytes.length; i++) {
        Memory.copy(sources[i] + o * bytes[i], dst, bytes[i]);
        dst += bytes[i];
      }
    }
  }
}
