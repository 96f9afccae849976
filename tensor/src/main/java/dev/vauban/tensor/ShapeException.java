package dev.vauban.tensor;

/** Shapes that do not fit an operation; the message names the operation and both shapes. */
public final class ShapeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public ShapeException(String message) {
    super(message);
  }

  /** An exception with this message and cause. */
  public ShapeException(String message, Throwable cause) {
    super(message, cause);
  }
}
