package dev.vauban.natives.cuda;

/** A kernel, which a {@link CudaStream} launches. Lives as long as its module. */
public final class CudaFunction {
  CudaFunction() {}

  /** Its name in the source. */
  public String name() {
    throw new UnsupportedOperationException();
  }

  /**
   * Allows launches with this much dynamic shared memory per block; needed above 48 KiB.
   *
   * @throws CudaException if the card has not so much
   */
  public CudaFunction allowSharedBytes(int bytes) {
    throw new UnsupportedOperationException();
  }

  /** How many blocks of this size one multiprocessor holds at a time. */
  public int blocksPerMultiprocessor(int threads, int sharedBytes) {
    throw new UnsupportedOperationException();
  }

  /** Registers per thread. */
  public int registers() {
    throw new UnsupportedOperationException();
  }

  /** Bytes per thread that did not fit into registers (or are arrays); 0 is what one wants. */
  public int localBytes() {
    throw new UnsupportedOperationException();
  }
}
