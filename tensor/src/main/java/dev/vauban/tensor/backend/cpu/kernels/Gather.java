package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Rows of x[outer, rows, inner] at given indices: dst[o, i, :] = x[o, indices[i], :]. Images are
 * gathered from an f32 or u8 data set with outer 1.
 */
public final class Gather {
  private final int outer;
  private final int rows;
  private final long rowBytes;
  private final int count;

  /**
   * Prepares a gather.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param outer product of the sizes before the gathered axis
   * @param rows size of the gathered axis
   * @param inner product of the sizes after it
   * @param count number of indices
   * @throws IllegalArgumentException if a size is negative
   */
  public Gather(int elementSize, int outer, int rows, int inner, int count) {
    StridedCopy.checkElement(elementSize);
    if (Math.min(Math.min(outer, rows), Math.min(inner, count)) < 0) {
      throw new IllegalArgumentException(
          "gather: "
              + count
              + " indices into ["
              + outer
              + ", "
              + rows
              + ", "
              + inner
              + "]; sizes must not be negative");
    }
    this.outer = outer;
    this.rows = rows;
    this.rowBytes = (long) inner * elementSize;
    this.count = count;
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the gather.
   *
   * @param x address of x[outer, rows, inner]
   * @param indices address of i32 [count]
   * @param dst address of the result [outer, count, inner]
   * @param scratch not used
   * @throws IndexOutOfBoundsException if an index is outside 0..rows-1; nothing is written then
   */
  public void run(long x, long indices, long dst, long scratch) {
    check("gather", indices, count, rows);
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < count; i++) {
        Memory.copy(x + Memory.getInt(indices + 4L * i) * rowBytes, dst, rowBytes);
        dst += rowBytes;
      }
      x += rows * rowBytes;
    }
  }

  /** Refuses an index that would reach outside. */
  static void check(String what, long indices, int count, int rows) {
    for (int i = 0; i < count; i++) {
      int index = Memory.getInt(indices + 4L * i);
      if (index < 0 || index >= rows) {
        throw new IndexOutOfBoundsException(
            what
                + ": index "
                + index
                + " at position "
                + i
                + " is outside an axis of size "
                + rows);
      }
    }
  }
}
