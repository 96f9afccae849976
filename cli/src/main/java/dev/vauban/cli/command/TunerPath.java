package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Base.Inherited;
import dev.vauban.cli.config.ConfigFile;
import dev.vauban.cli.config.Resolver;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A run of {@code vauban lft train}, named on the command line. */
final class TunerPath {
  private TunerPath() {}

  /** What to take from the settings of the run, just above the defaults: all that makes a task. */
  static Optional<Inherited> settings(Path run) {
    if (run == null || !Files.exists(RunDirectory.configOf(run))) {
      return Optional.empty();
    }
    return Optional.of(
        new Inherited(
            RunDirectory.configOf(run),
            Base.Rank.ABOVE_DEFAULTS,
            UniversalOptions.NAMES::contains));
  }

  /**
   * The tuner that the run was trained with.
   *
   * @throws CommandException exit 2, if {@code run} is none of {@code vauban lft train}
   */
  static TunerOptions tuner(Path run) {
    RunDirectory.requireRun(run);
    Path config = RunDirectory.configOf(run);
    if (!ConfigFile.read(config).containsKey("hidden")) {
      throw CommandException.badInput(
          run + " is no run of a learned tuner; 'vauban lft train --out' makes one");
    }
    if (RunDirectory.latest(run).isEmpty()) {
      throw CommandException.badInput(
          run + " has no checkpoint yet; continue it with 'vauban lft train --resume'");
    }
    TunerOptions options = new TunerOptions();
    Resolver.load(options, config);
    return options;
  }
}
