package dev.vauban.tensor;

/** Use of a tensor, scope, plan or device after it was closed. */
public final class ClosedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public ClosedException(String message) {
    super(message);
  }

  /** An exception with this message and cause. */
  public ClosedException(String message, Throwable cause) {
    super(message, cause);
  }
}
