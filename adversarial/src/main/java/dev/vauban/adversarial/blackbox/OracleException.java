package dev.vauban.adversarial.blackbox;

/** An oracle that gave no usable answer. The message is one sentence for the user. */
public final class OracleException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Whether asking again can help. */
  public enum Kind {
    /** A busy or unreachable service, a time-out: the same query may be answered later. */
    PASSING,
    /** An answer that makes no sense, a refusal, the end of the allowed queries. */
    LASTING
  }

  private final Kind kind;

  /** A failure with a sentence. */
  public OracleException(Kind kind, String sentence) {
    this(kind, sentence, null);
  }

  /** A failure with a sentence and what caused it. */
  public OracleException(Kind kind, String sentence, Throwable cause) {
    super(sentence, cause);
    this.kind = kind;
  }

  /** Whether asking again can help. */
  public Kind kind() {
    return kind;
  }
}
