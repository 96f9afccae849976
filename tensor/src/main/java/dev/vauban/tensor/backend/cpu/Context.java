package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.ClosedException;
import java.util.Optional;

/** What compiling and running on one CPU device needs: workers, their streams, native kernels. */
final class Context implements AutoCloseable {
  final Workers workers;
  final Optional<OneDnn> oneDnn;
  final WinogradChoice winograd;
  final Bf16Choice bf16;
  private final long[] streams;
  private boolean closed;

  Context(int size, Optional<OneDnn> oneDnn, WinogradChoice winograd, Bf16Choice bf16) {
    this.workers = new Workers(size);
    this.oneDnn = oneDnn;
    this.winograd = winograd;
    this.bf16 = bf16;
    this.streams = new long[size];
    for (int i = 0; i < size; i++) {
      streams[i] = oneDnn.map(OneDnn::newStream).orElse(0L);
    }
  }

  /** The oneDNN stream of a worker. */
  long stream(int worker) {
    return streams[worker];
  }

  /**
   * Refuses to work for a closed device, whose threads would never answer.
   *
   * @throws ClosedException if the device is closed
   */
  synchronized void check() {
    if (closed) {
      throw new ClosedException("the device is closed");
    }
  }

  /** Waits for the plan that runs now, if any. Closing again does nothing. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    workers.close();
    for (int i = 0; i < streams.length; i++) {
      long s = streams[i];
      oneDnn.ifPresent(d -> d.closeStream(s));
      streams[i] = 0;
    }
  }
}
