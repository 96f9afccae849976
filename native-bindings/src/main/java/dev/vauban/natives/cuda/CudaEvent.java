package dev.vauban.natives.cuda;

/** A mark in a stream, with the time when the card reached it. */
public final class CudaEvent implements AutoCloseable {
  CudaEvent() {}

  /** Whether it has happened (or was never recorded). */
  public boolean happened() {
    throw new UnsupportedOperationException();
  }

  /** Waits until it has happened. */
  public void synchronize() {
    throw new UnsupportedOperationException();
  }

  /** Milliseconds of the card's own clock from an earlier event to this one; waits for both. */
  public double millisecondsSince(CudaEvent earlier) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {
    throw new UnsupportedOperationException();
  }
}
