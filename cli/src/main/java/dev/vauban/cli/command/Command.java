package dev.vauban.cli.command;

import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;

/** A command whose options are parsed and merged. */
public interface Command {
  /** Does the work. A failure is an exception; {@code Main} turns it into an exit code. */
  Answer run(Session session);
}
