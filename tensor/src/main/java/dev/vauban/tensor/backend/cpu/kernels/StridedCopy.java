package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Copies an array between two strided layouts: the one engine behind transposition, slices, padding
 * and concatenation.
 *
 * <p>Dimensions that both sides walk as one are merged first. What remains is copied row by row
 * where the innermost dimension is contiguous on both sides, as blocked matrix transposes where it
 * is contiguous in the result but another one is in the source, and element by element otherwise.
 */
public final class StridedCopy {
  private enum Way {
    EMPTY,
    ROWS,
    PLANES,
    ELEMENTS
  }

  private final int size;
  private final Way way;
  private final int[] extents;
  private final long[] srcStrides; // bytes
  private final long[] dstStrides; // bytes
  private final int outer; // dimensions walked by recursion; the rest is the innermost step

  /**
   * Prepares a copy.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param extents sizes of the copied array, outermost first
   * @param srcStrides elements from one index to the next in the source, per dimension; 0 repeats
   * @param dstStrides likewise in the result, where no two elements may share a place
   * @throws IllegalArgumentException if the lengths differ or a size is out of range
   */
  public StridedCopy(int elementSize, int[] extents, long[] srcStrides, long[] dstStrides) {
    checkElement(elementSize);
    if (extents.length != srcStrides.length || extents.length != dstStrides.length) {
      throw new IllegalArgumentException(
          "copy: "
              + extents.length
              + " sizes, "
              + srcStrides.length
              + " source strides, "
              + dstStrides.length
              + " result strides; there must be as many of each");
    }
    int rank = 0;
    int[] e = new int[extents.length];
    long[] s = new long[extents.length];
    long[] d = new long[extents.length];
    boolean empty = false;
    for (int i = 0; i < extents.length; i++) {
      if (extents[i] < 0) {
        throw new IllegalArgumentException("copy: size " + extents[i] + " of axis " + i);
      }
      empty |= extents[i] == 0;
      if (extents[i] == 1) {
        continue;
      }
      boolean joins =
          rank > 0
              && s[rank - 1] == extents[i] * srcStrides[i] * elementSize
              && d[rank - 1] == extents[i] * dstStrides[i] * elementSize
              && (long) e[rank - 1] * extents[i] <= Integer.MAX_VALUE;
      int at = joins ? rank - 1 : rank++;
      e[at] = joins ? e[at] * extents[i] : extents[i];
      s[at] = srcStrides[i] * elementSize;
      d[at] = dstStrides[i] * elementSize;
    }
    if (rank == 0) { // a single element, or nothing
      e = new int[] {1};
      s = new long[] {elementSize};
      d = new long[] {elementSize};
      rank = 1;
    }
    this.size = elementSize;
    this.extents = java.util.Arrays.copyOf(e, rank);
    this.srcStrides = java.util.Arrays.copyOf(s, rank);
    this.dstStrides = java.util.Arrays.copyOf(d, rank);
    int last = rank - 1;
    if (empty) {
      way = Way.EMPTY;
      outer = 0;
    } else if (s[last] == elementSize && d[last] == elementSize) {
      way = Way.ROWS;
      outer = last;
    } else if (d[last] == elementSize && moveUnitStride(last)) {
      way = Way.PLANES;
      outer = last - 1;
    } else {
      way = Way.ELEMENTS;
      outer = last;
    }
  }

  static void checkElement(int elementSize) {
    if (elementSize != 1 && elementSize != 2 && elementSize != 4 && elementSize != 8) {
      throw new IllegalArgumentException("elements have 1, 2, 4 or 8 bytes, not " + elementSize);
    }
  }

  /** Moves the dimension that is contiguous in the source next to the last one. */
  private boolean moveUnitStride(int last) {
    for (int i = last - 1; i >= 0; i--) {
      if (srcStrides[i] == size) {
        int e = extents[i];
        long d = dstStrides[i];
        for (int j = i; j < last - 1; j++) {
          extents[j] = extents[j + 1];
          srcStrides[j] = srcStrides[j + 1];
          dstStrides[j] = dstStrides[j + 1];
        }
        extents[last - 1] = e;
        srcStrides[last - 1] = size;
        dstStrides[last - 1] = d;
        return true;
      }
    }
    return false;
  }

  /** Row-major strides, in elements. */
  static long[] rowMajor(int[] extents) {
    long[] strides = new long[extents.length];
    long step = 1;
    for (int i = extents.length - 1; i >= 0; i--) {
      strides[i] = step;
      step *= Math.max(1, extents[i]);
    }
    return strides;
  }

  /**
   * Runs the copy; source and result must not overlap.
   *
   * @param src address of the source element with index 0 in every dimension
   * @param dst address of the result element with index 0 in every dimension
   */
  public void run(long src, long dst) {
    if (way != Way.EMPTY) {
      walk(0, src, dst);
    }
  }

  private void walk(int dim, long src, long dst) {
    if (dim == outer) {
      innermost(src, dst);
      return;
    }
    long s = srcStrides[dim];
    long d = dstStrides[dim];
    for (int i = 0; i < extents[dim]; i++) {
      walk(dim + 1, src, dst);
      src += s;
      dst += d;
    }
  }

  private void innermost(long src, long dst) {
    int last = extents.length - 1;
    switch (way) {
      case ROWS -> Memory.copy(src, dst, (long) extents[last] * size);
      case PLANES ->
          Transposer.run(
              size,
              src,
              srcStrides[last],
              dst,
              dstStrides[last - 1],
              extents[last],
              extents[last - 1]);
      case ELEMENTS -> elements(src, srcStrides[last], dst, dstStrides[last], extents[last]);
      case EMPTY -> {}
    }
  }

  private void elements(long src, long s, long dst, long d, int count) {
    for (int i = 0; i < count; i++) {
      switch (size) {
        case 1 -> Memory.setByte(dst, Memory.getByte(src));
        case 2 -> Memory.setShort(dst, Memory.getShort(src));
        case 4 -> Memory.setInt(dst, Memory.getInt(src));
        default -> Memory.setLong(dst, Memory.getLong(src));
      }
      src += s;
      dst += d;
    }
  }
}
