package dev.vauban.cli.failure;

/** What the process tells its caller when it ends. */
public enum ExitCode {
  /** The command did what it was asked. */
  OK(0),
  /** The input was fine, but the work could not be completed (a full disk, a diverged run). */
  FAILED(1),
  /** The user's input is wrong: an option, a file, a name, a value. */
  BAD_INPUT(2),
  /** The machine lacks something: a library, a JDK, a JVM flag, a GPU. */
  ENVIRONMENT(3),
  /** A defect of Vauban; the stack trace is in a log file. */
  BUG(4),
  /** Ctrl-C or a termination request; checkpoints are kept. */
  INTERRUPTED(130);

  private final int status;

  ExitCode(int status) {
    this.status = status;
  }

  /** The process's exit status, 0 to 255. */
  public int status() {
    return status;
  }
}
