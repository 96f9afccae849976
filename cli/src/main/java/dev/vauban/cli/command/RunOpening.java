package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.ConfigFile;
import dev.vauban.cli.config.Settings;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.logging.RunLog;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The run directory of a training command and its log, new or resumed, from when they are asked for
 * to the end of the command.
 */
final class RunOpening implements Supplier<RunDirectory>, AutoCloseable {
  /** What a resumed session may have of its own: nothing of it touches what is computed. */
  private static final Set<String> OF_THE_SESSION =
      Set.of("out", "workers", "log-every", "checkpoint-every", "keep", "max-minutes");

  private final Path out;
  private final boolean resume;
  private final Session session;
  private Map<String, Settings.Value> changed = Map.of();
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
   * @param changeable settings of the run that may be changed when it is resumed, and stay so: they
   *     do not touch the steps that it has done. What only concerns a session may be changed too
   * @param since settings that the runs of older versions do not name, with what they were
   * @throws CommandException exit 2, if the folder is taken, or a resumed run would not be the run
   *     it claims to be
   */
  void require(Set<String> changeable, Map<String, String> since) {
    if (resume) {
      changed = changes(changeable, since);
      RunDirectory.requireIdle(out);
    } else {
      RunDirectory.requireFree(out);
    }
  }

  private Map<String, Settings.Value> changes(Set<String> changeable, Map<String, String> since) {
    Map<String, ConfigFile.Entry> before = ConfigFile.read(RunDirectory.configOf(out));
    Map<String, Settings.Value> changes = new LinkedHashMap<>();
    session
        .settings()
        .values()
        .forEach((name, value) -> {
          ConfigFile.Entry entry = before.get(name);
          String old = entry == null ? since.get(name) : entry.value(",");
          if (!value.source().equals("flag")
              || OF_THE_SESSION.contains(name)
              || value.text().equals(old)) {
            return;
          }
          if (changeable.contains(name)) {
            changes.put(name, new Settings.Value(value.text(), "flag on resume"));
          } else if (old != null) {
            throw CommandException.badInput(
                "--%s %s: the run in %s was begun with %s %s and resumes with it; start a new"
                        .formatted(name, value.text(), out, name, old)
                    + " run to change it");
          }
        });
    return changes;
  }

  @Override
  public RunDirectory get() {
    run =
        resume
            ? RunDirectory.resume(out, changedConfig())
            : RunDirectory.create(out, session.settings().toYaml());
    log = RunLog.to(RunDirectory.logOf(out));
    session
        .console()
        .notice(
            run.start()
                .map(c -> "resuming " + out + " from step " + c.step())
                .orElse("training in " + out));
    return run;
  }

  private Optional<String> changedConfig() {
    return changed.isEmpty()
        ? Optional.empty()
        : Optional.of(ConfigFile.changed(RunDirectory.configOf(out), changed));
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
