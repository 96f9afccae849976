package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.ConfigFile;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.logging.RunLog;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The run directory of a training command and its log, new or resumed, from when they are asked for
 * to the end of the command.
 */
final class RunOpening implements Supplier<RunDirectory>, AutoCloseable {
  private final Path out;
  private final boolean resume;
  private final Session session;
  private RunDirectory run;
  private RunLog log;

  RunOpening(Path out, boolean resume, Session session) {
    this.out = out;
    this.resume = resume;
    this.session = session;
  }

  /**
   * The settings of the run that a command resumes.
   *
   * @throws CommandException exit 2, if the folder holds no run, or --config would change it
   */
  static Optional<Base.Inherited> inherited(Path folder, ConfigOptions config) {
    if (config.config != null) {
      throw CommandException.badInput(
          "--config with --resume: a resumed run keeps the settings in "
              + RunDirectory.configOf(folder)
              + "; leave one of them out");
    }
    RunDirectory.requireRun(folder);
    return Optional.of(new Base.Inherited(RunDirectory.configOf(folder), Base.Rank.BELOW_FLAGS));
  }

  /**
   * Says what the folder forbids, before data are read.
   *
   * @param free settings that a resumed run may change: they do not touch what is computed
   * @param since settings that the runs of older versions do not name, with what they were
   * @throws CommandException exit 2, if the folder is taken, or a resumed run would not be the run
   *     it claims to be
   */
  void require(Set<String> free, Map<String, String> since) {
    if (resume) {
      refuseChanges(free, since);
      RunDirectory.requireIdle(out);
    } else {
      RunDirectory.requireFree(out);
    }
  }

  private void refuseChanges(Set<String> free, Map<String, String> since) {
    Map<String, ConfigFile.Entry> before = ConfigFile.read(RunDirectory.configOf(out));
    session
        .settings()
        .values()
        .forEach((name, value) -> {
          ConfigFile.Entry entry = before.get(name);
          String old = entry == null ? since.get(name) : entry.value(",");
          if (value.source().equals("flag")
              && !free.contains(name)
              && old != null
              && !old.equals(value.text())) {
            throw CommandException.badInput(
                "--%s %s: the run in %s was begun with %s %s and resumes with it; start a new"
                        .formatted(name, value.text(), out, name, old)
                    + " run to change it");
          }
        });
  }

  @Override
  public RunDirectory get() {
    run = resume ? RunDirectory.resume(out) : RunDirectory.create(out, session.settings().toYaml());
    log = RunLog.to(RunDirectory.logOf(out));
    session
        .console()
        .notice(
            run.start()
                .map(c -> "resuming " + out + " from step " + c.step())
                .orElse("training in " + out));
    return run;
  }

  @Override
  public void close() {
    if (log != null) {
      log.close();
    }
    if (run != null) {
      run.close();
    }
  }
}
