package dev.vauban.tensor;

/** A file whose content is not what its format promises; the message names file and place. */
public final class FormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public FormatException(String message) {
    super(message);
  }

  /** An exception with this message and cause. */
  public FormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
