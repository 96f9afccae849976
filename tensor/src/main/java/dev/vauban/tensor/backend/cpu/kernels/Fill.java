package dev.vauban.tensor.backend.cpu.kernels;

/** Sets every element of an array to one value. */
public final class Fill {
  private final long bytes;
  private final long pattern;

  /**
   * Prepares a fill.
   *
   * @param elementSize bytes per element: 1, 2, 4 or 8
   * @param count number of elements, at least 0
   * @param bits the value's bit pattern in the lowest {@code elementSize} bytes
   */
  public Fill(int elementSize, long count, long bits) {
    StridedCopy.checkElement(elementSize);
    if (count < 0) {
      throw new IllegalArgumentException("fill: " + count + " elements; at least 0");
    }
    this.bytes = Math.multiplyExact(count, (long) elementSize);
    this.pattern =
        switch (elementSize) {
          case 1 -> (bits & 0xFF) * 0x0101010101010101L;
          case 2 -> (bits & 0xFFFF) * 0x0001000100010001L;
          case 4 -> (bits & 0xFFFFFFFFL) * 0x0000000100000001L;
          default -> bits;
        };
  }

  /** A fill of {@code count} floats. */
  public static Fill of(long count, float value) {
    return new Fill(4, count, Float.floatToRawIntBits(value));
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the fill.
   *
   * @param dst address of the result
   * @param scratch not used
   */
  public void run(long dst, long scratch) {
    Memory.fill(dst, bytes, pattern);
  }
}
