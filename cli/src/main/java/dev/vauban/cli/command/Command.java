package dev.vauban.cli.command;

import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;

/** A command whose options are parsed and merged. */
public interface Command {
  /** Does the work. A failure is an exception; {@code Main} turns it into an exit code. */
  Answer run(Session session);

  /** How Ctrl-C ends this command: at once, unless it has something to save first. */
  default Stop stop() {
    return Stop.AT_ONCE;
  }

  /** What a first Ctrl-C does; a second one always ends the process. */
  enum Stop {
    /** The process ends. */
    AT_ONCE,
    /** The command polls {@link Session#interrupt()}, saves what it must, and ends. */
    AT_SAFE_POINT
  }
}
