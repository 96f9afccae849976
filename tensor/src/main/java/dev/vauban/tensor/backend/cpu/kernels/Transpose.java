package dev.vauban.tensor.backend.cpu.kernels;

/** Permutes the axes of an array: result axis i is source axis {@code permutation[i]}. */
public final class Transpose {
  private final StridedCopy copy;

  /**
   * Prepares a transposition.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param extents shape of the source
   * @param permutation each source axis once
   * @throws IllegalArgumentException if that is no permutation of the axes
   */
  public Transpose(int elementSize, int[] extents, int[] permutation) {
    int rank = extents.length;
    long[] strides = StridedCopy.rowMajor(extents);
    int[] to = new int[rank];
    long[] from = new long[rank];
    boolean[] seen = new boolean[rank];
    boolean ok = permutation.length == rank;
    for (int i = 0; ok && i < rank; i++) {
      int axis = permutation[i];
      ok = axis >= 0 && axis < rank && !seen[axis];
      if (ok) {
        seen[axis] = true;
        to[i] = extents[axis];
        from[i] = strides[axis];
      }
    }
    if (!ok) {
      throw new IllegalArgumentException(
          "transpose: "
              + java.util.Arrays.toString(permutation)
              + " is no permutation of "
              + rank
              + " axes");
    }
    this.copy = new StridedCopy(elementSize, to, from, StridedCopy.rowMajor(to));
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the transposition.
   *
   * @param src address of the source
   * @param dst address of the result
   * @param scratch not used
   */
  public void run(long src, long dst, long scratch) {
    copy.run(src, dst);
  }
}
