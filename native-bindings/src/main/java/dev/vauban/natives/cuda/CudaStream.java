package dev.vauban.natives.cuda;

import java.lang.foreign.MemorySegment;

/**
 * A queue of work for the card, done in order. All methods but {@link #synchronize} return at once.
 * To be used from one thread at a time.
 */
public final class CudaStream implements AutoCloseable {
  CudaStream() {}

  /** Runs a kernel. */
  public void launch(CudaFunction function, LaunchShape shape, CudaArguments arguments) {
    throw new UnsupportedOperationException();
  }

  /**
   * Copies from host to card. Runs beside kernels if the host's memory is {@linkplain
   * CudaContext#pinned pinned}; in a capture it must be.
   */
  public void copyToDevice(long device, MemorySegment host) {
    throw new UnsupportedOperationException();
  }

  /** Copies from card to host; see {@link #copyToDevice}. */
  public void copyToHost(MemorySegment host, long device) {
    throw new UnsupportedOperationException();
  }

  /** Copies within the card. */
  public void copyOnDevice(long to, long from, long bytes) {
    throw new UnsupportedOperationException();
  }

  /** Fills device memory with a 32-bit word; the address is a multiple of 4. */
  public void set(long device, int word, long words) {
    throw new UnsupportedOperationException();
  }

  /** Waits until everything queued is done. */
  public void synchronize() {
    throw new UnsupportedOperationException();
  }

  /** Queues an event: it happens when everything before it is done. */
  public void record(CudaEvent event) {
    throw new UnsupportedOperationException();
  }

  /** What is queued from now on waits for the event, which another stream recorded. */
  public void waitFor(CudaEvent event) {
    throw new UnsupportedOperationException();
  }

  /**
   * From now on work is written down and not done, until {@link #endCapture}. Only this thread's
   * calls are limited by that: others may allocate meanwhile.
   */
  public void beginCapture() {
    throw new UnsupportedOperationException();
  }

  /** Makes a graph of what was written down, ready to launch. */
  public CudaGraph endCapture() {
    throw new UnsupportedOperationException();
  }

  /** Waits for the work, then frees the stream. */
  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
