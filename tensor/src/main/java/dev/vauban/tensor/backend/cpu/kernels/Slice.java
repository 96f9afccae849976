package dev.vauban.tensor.backend.cpu.kernels;

/** Every stride-th element from start to stop (exclusive) of each axis. */
public final class Slice {
  private final StridedCopy copy;
  private final long offset;

  /**
   * Prepares a slice.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param extents shape of the source
   * @param starts first index per axis, 0 to the stop
   * @param stops index after the last per axis, at most the size
   * @param strides step per axis, at least 1
   * @throws IllegalArgumentException if a range does not fit its axis
   */
  public Slice(int elementSize, int[] extents, int[] starts, int[] stops, int[] strides) {
    int rank = extents.length;
    if (starts.length != rank || stops.length != rank || strides.length != rank) {
      throw new IllegalArgumentException("slice: needs one range for each of " + rank + " axes");
    }
    long[] from = StridedCopy.rowMajor(extents);
    int[] to = new int[rank];
    long first = 0;
    for (int i = 0; i < rank; i++) {
      if (starts[i] < 0 || starts[i] > stops[i] || stops[i] > extents[i] || strides[i] < 1) {
        throw new IllegalArgumentException(
            "slice: range "
                + starts[i]
                + ":"
                + stops[i]
                + ":"
                + strides[i]
                + " does not fit axis "
                + i
                + " of size "
                + extents[i]);
      }
      to[i] = (int) (((long) stops[i] - starts[i] + strides[i] - 1) / strides[i]);
      first += starts[i] * from[i];
      from[i] *= strides[i];
    }
    this.offset = first * elementSize;
    this.copy = new StridedCopy(elementSize, to, from, StridedCopy.rowMajor(to));
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the slice.
   *
   * @param src address of the source
   * @param dst address of the result
   * @param scratch not used
   */
  public void run(long src, long dst, long scratch) {
    copy.run(src + offset, dst);
  }
}
