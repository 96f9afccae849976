package dev.vauban.tensor;

/** An element type that an operation does not accept; cast explicitly. */
public final class DTypeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public DTypeException(String message) {
    super(message);
  }

  /** An exception with this message and cause. */
  public DTypeException(String message, Throwable cause) {
    super(message, cause);
  }
}
