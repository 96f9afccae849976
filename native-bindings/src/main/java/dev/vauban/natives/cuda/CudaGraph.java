package dev.vauban.natives.cuda;

/** Captured work that the card replays with one launch. */
public final class CudaGraph implements AutoCloseable {
  CudaGraph() {}

  /** Kernels, copies and fills in it. */
  public int nodes() {
    throw new UnsupportedOperationException();
  }

  /** Queues all of it on the stream. A graph is run once at a time. */
  public void launch(CudaStream stream) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
