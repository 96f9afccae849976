package dev.vauban.natives.cuda;

/**
 * Matrix products on one card, each by the fastest of the library's algorithms, as measured the
 * first time. Owns the workspace: the products of one object must not run at the same time, so
 * there is one object per stream.
 */
public final class Gemms implements AutoCloseable {
  /** A product made ready: running it allocates nothing and may be captured. */
  public interface Gemm {
    /** Which. */
    GemmSpec spec();

    /** The algorithm that was chosen and why, for a plan's listing. */
    String description();

    /** Queues {@code c = a * b}; addresses on the card, multiples of 16 for full speed. */
    void run(CudaStream stream, long a, long b, long c);
  }

  Gemms() {}

  /**
   * A product made ready; measured on {@code stream} (outside captures) unless it is remembered.
   *
   * @throws CudaException if the library has no code for it
   */
  public Gemm prepare(GemmSpec spec, CudaStream stream) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
