package dev.vauban.natives.cuda;

import java.lang.foreign.MemorySegment;

/**
 * One opened card: its memory, modules, streams. May be used from any thread. Closing it frees
 * whatever was made from it and not closed before.
 */
public final class CudaContext implements AutoCloseable {
  /** The card's memory now, in bytes. */
  public record MemoryInfo(long free, long total) {}

  CudaContext() {}

  /** The card. */
  public CudaDriver.Card card() {
    throw new UnsupportedOperationException();
  }

  /**
   * Device memory, aligned to 256 bytes, contents undefined.
   *
   * @param bytes how much, 1 or more
   * @param what what it is for, as it should stand in the message when it is too much, including
   *     what was planned: {@code "the slab of a plan (3.2 GiB planned, 1.1 GiB of it inputs)"}
   * @return its address on the card
   * @throws CudaException if there is not so much; the message says how much was asked and is free
   */
  public long allocate(long bytes, String what) {
    throw new UnsupportedOperationException();
  }

  /** Frees what {@link #allocate} gave. */
  public void free(long address) {
    throw new UnsupportedOperationException();
  }

  /**
   * Host memory that the card reads and writes by itself, so that copies run beside kernels. Lives
   * until {@link #freePinned} or the context's end.
   */
  public MemorySegment pinned(long bytes) {
    throw new UnsupportedOperationException();
  }

  /** Frees what {@link #pinned} gave. */
  public void freePinned(MemorySegment memory) {
    throw new UnsupportedOperationException();
  }

  /**
   * Loads compiled code onto the card.
   *
   * @param image what {@link Nvrtc} compiled for this card
   */
  public CudaModule module(byte[] image) {
    throw new UnsupportedOperationException();
  }

  /** A new stream, which runs beside all others. */
  public CudaStream stream() {
    throw new UnsupportedOperationException();
  }

  /** A new event, which takes the time. */
  public CudaEvent event() {
    throw new UnsupportedOperationException();
  }

  /** The card's memory now. */
  public MemoryInfo memoryInfo() {
    throw new UnsupportedOperationException();
  }

  /** Waits for everything that was started on the card. */
  public void synchronize() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
