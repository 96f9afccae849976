package dev.vauban.natives;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A native library that is missing, is not the right one, or refused a call.
 *
 * <p>The message always says what was tried, on which file, and what to do about it. To cause one:
 * start the JVM with {@code -Dvauban.onednn=/etc/hostname}; to fix it, remove the property, so that
 * the bundled library is used.
 */
public final class NativeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The C function that failed; null where no call was made. */
  private final String function;

  /** The status code of the call; meaningless without a function. */
  private final int code;

  /** What went wrong, without the remedy. */
  private final String problem;

  /** What the user can do; null where nothing is known. */
  private final String remedy;

  /** A library that cannot be used, what to do about it, and the cause (or null). */
  public NativeException(String problem, String remedy, Throwable cause) {
    super(problem + "; " + remedy, cause);
    this.function = null;
    this.code = 0;
    this.problem = problem;
    this.remedy = remedy;
  }

  /** A call of {@code function} that returned the status {@code code}. */
  public NativeException(String function, int code, String problem) {
    super(problem);
    this.function = function;
    this.code = code;
    this.problem = problem;
    this.remedy = null;
  }

  /** What went wrong: which library or call, and why. */
  public String problem() {
    return problem;
  }

  /** What the user can do, where something can be done. */
  public Optional<String> remedy() {
    return Optional.ofNullable(remedy);
  }

  /** The C function that failed, where a call failed. */
  public Optional<String> function() {
    return Optional.ofNullable(function);
  }

  /** The status code it returned, where a call failed. */
  public OptionalInt code() {
    return function == null ? OptionalInt.empty() : OptionalInt.of(code);
  }
}
