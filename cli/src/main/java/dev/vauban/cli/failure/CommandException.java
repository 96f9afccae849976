package dev.vauban.cli.failure;

/**
 * Ends a command with an exit code and one sentence for the user: what is wrong, where, and what
 * would be right. Never shown with a stack trace.
 */
public class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ExitCode code;

  /** A failure of this kind, for those that a caller must tell from others. */
  CommandException(ExitCode code, String sentence, Throwable cause) {
    super(sentence, cause);
    this.code = code;
  }

  /** Wrong input, exit 2. */
  public static CommandException badInput(String sentence) {
    return new CommandException(ExitCode.BAD_INPUT, sentence, null);
  }

  /** Wrong input, exit 2, with the exception that revealed it (kept for the log). */
  public static CommandException badInput(String sentence, Throwable cause) {
    return new CommandException(ExitCode.BAD_INPUT, sentence, cause);
  }

  /** Work that could not be completed, exit 1. */
  public static CommandException failed(String sentence, Throwable cause) {
    return new CommandException(ExitCode.FAILED, sentence, cause);
  }

  /** Something this machine lacks, exit 3. */
  public static CommandException environment(String sentence, Throwable cause) {
    return new CommandException(ExitCode.ENVIRONMENT, sentence, cause);
  }

  /** The user asked to stop, exit 130. */
  public static CommandException interrupted(String sentence) {
    return new CommandException(ExitCode.INTERRUPTED, sentence, null);
  }

  /** The exit code this failure ends the process with. */
  public ExitCode code() {
    return code;
  }
}
