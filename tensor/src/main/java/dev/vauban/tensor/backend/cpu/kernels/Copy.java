package dev.vauban.tensor.backend.cpu.kernels;

/** Copies a contiguous array. */
public final class Copy {
  private final long bytes;

  /**
   * Prepares a copy of {@code bytes} bytes.
   *
   * @throws IllegalArgumentException if that is negative
   */
  public Copy(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("copy: " + bytes + " bytes; at least 0");
    }
    this.bytes = bytes;
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the copy.
   *
   * @param src address of the source
   * @param dst address of the result; must not overlap the source
   * @param scratch not used
   */
  public void run(long src, long dst, long scratch) {
    Memory.copy(src, dst, bytes);
  }
}
