package dev.vauban.tensor.backend.cpu.kernels;

/** New keys from old ones and numbers: the Threefry block of each number under its key. */
public final class KeyFold {
  private final int count;

  /**
   * Prepares folding.
   *
   * @param count number of keys
   * @throws IllegalArgumentException if that is negative
   */
  public KeyFold(int count) {
    if (count < 0) {
      throw new IllegalArgumentException("fold: " + count + " keys; at least 0");
    }
    this.count = count;
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Folds.
   *
   * @param keys address of i32 keys[count, 2]
   * @param data address of i32 data[count], sign-extended to the 64-bit counter
   * @param dst address of the result i32 [count, 2]; may be {@code keys}
   * @param scratch not used
   */
  public void run(long keys, long data, long dst, long scratch) {
    for (int i = 0; i < count; i++) {
      int counter = Memory.getInt(data + 4L * i);
      int k0 = Memory.getInt(keys + 8L * i);
      int k1 = Memory.getInt(keys + 8L * i + 4);
      long block = Threefry.block(k0, k1, counter >> 31, counter);
      Memory.setInt(dst + 8L * i, (int) (block >>> 32));
      Memory.setInt(dst + 8L * i + 4, (int) block);
    }
  }
}
