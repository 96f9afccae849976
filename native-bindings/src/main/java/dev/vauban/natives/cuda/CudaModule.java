package dev.vauban.natives.cuda;

/** Compiled code on the card. */
public final class CudaModule implements AutoCloseable {
  CudaModule() {}

  /**
   * A kernel of the module.
   *
   * @param name as declared; in C++ source the kernel must be {@code extern "C"}
   * @throws CudaException if there is none of that name
   */
  public CudaFunction function(String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
