package dev.vauban.nn.data;

/**
 * A request that the data cannot answer: a data set of unknown name, a file that is not there, more
 * ways than classes, more shots and queries than a class has images. The message is one sentence
 * for the person who asked. A file that is there but whose content is wrong gives a {@link
 * dev.vauban.tensor.FormatException} instead.
 */
public final class DataException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An exception with this message. */
  public DataException(String message) {
    super(message);
  }

  /** An exception with this message and cause. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
