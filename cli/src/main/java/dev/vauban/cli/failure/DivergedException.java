package dev.vauban.cli.failure;

/** A training that came to a loss that is no number, exit 1. What it had saved is kept. */
public final class DivergedException extends CommandException {
  private static final long serialVersionUID = 1L;

  /** With a sentence that says at which step, and what helps. */
  public DivergedException(String sentence) {
    super(ExitCode.FAILED, sentence, null);
  }
}
