package dev.vauban.bench.peers;

/** Another framework failed; the message is its own, in one line. */
public final class PeerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With the framework's message, of which the first line is kept. */
  public PeerException(String message, Throwable cause) {
    super(String.valueOf(message).strip().lines().findFirst().orElse("no message"), cause);
  }
}
