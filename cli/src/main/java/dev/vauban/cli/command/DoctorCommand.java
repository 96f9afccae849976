package dev.vauban.cli.command;

import dev.vauban.cli.doctor.Check;
import dev.vauban.cli.doctor.Checkup;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.logging.LogSetup;
import dev.vauban.cli.terminal.Console.Verbosity;
import picocli.CommandLine;

/** {@code vauban doctor}: what this machine offers and what it lacks. */
@CommandLine.Command(
    name = "doctor",
    description = {
      "Show what this machine offers: JDK, Vector API, oneDNN, CUDA, memory, cache.",
      "Ends with 3 if something required is missing."
    })
public final class DoctorCommand implements Command {
  @Override
  public Answer run(Session session) {
    if (session.console().verbosity() != Verbosity.VERBOSE) {
      // What the libraries warn of while they load is what this command is about to say.
      System.setProperty(LogSetup.LEVEL, "ERROR");
    }
    Checkup checkup = Checkup.ofThisMachine();
    boolean fit = checkup.checks().stream().noneMatch(c -> c.state() == Check.State.MISSING);
    return new Answer(
        fit ? ExitCode.OK : ExitCode.ENVIRONMENT,
        checkup.format(session.console()),
        checkup.json());
  }
}
