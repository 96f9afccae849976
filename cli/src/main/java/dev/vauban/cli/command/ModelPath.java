package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Base.Inherited;
import dev.vauban.cli.config.Resolver;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A model named on the command line: a run directory, or a .safetensors file. */
final class ModelPath {
  /**
   * What an evaluation takes from the run unless told otherwise: which tasks, and the budget that
   * it was trained for. Not the seed: the evaluation's is its own, so that models of different
   * training seeds meet the same episodes and attacks. Not the threads: they belong to the machine.
   */
  private static final Set<String> TAKEN =
      Set.of("data", "split", "rotations", "ways", "shots", "queries", "eps");

  private ModelPath() {}

  /**
   * Checks that {@code model} is a run with a checkpoint, or a .safetensors file.
   *
   * @throws CommandException exit 2 with what is missing
   */
  static void require(Path model) {
    if (Files.isDirectory(model)) {
      RunDirectory.requireRun(model);
      if (RunDirectory.latest(model).isEmpty()) {
        throw CommandException.badInput(
            model + " has no checkpoint yet; continue it with 'vauban train --resume'");
      }
      return;
    }
    if (!Files.exists(model)) {
      throw CommandException.badInput(
          "no model at " + model + "; give a run directory or a .safetensors file");
    }
    if (!model.getFileName().toString().endsWith(".safetensors")) {
      throw CommandException.badInput(
          model + " is no model; give a run directory or a .safetensors file");
    }
  }

  /** What to take from the settings of the model's run, just above the defaults. */
  static Optional<Inherited> settings(Path model) {
    if (model == null) {
      return Optional.empty();
    }
    Path config = configOf(model);
    return Files.exists(config)
        ? Optional.of(new Inherited(config, Base.Rank.ABOVE_DEFAULTS, TAKEN::contains))
        : Optional.empty();
  }

  /**
   * The meta-learner that the model's run was trained with.
   *
   * @throws CommandException exit 2, if the run's settings are missing or damaged
   */
  static Learner learner(Path model) {
    Path config = configOf(model);
    if (!Files.exists(config)) {
      throw CommandException.badInput(
          model + ": its network is unknown, because config.yaml of its run is not beside it");
    }
    LearnerOptions options = new LearnerOptions();
    Resolver.load(options, config);
    if (options.model == null
        || options.innerRate == null
        || options.eps == null
        || options.order == null
        || options.model.scalable() && options.filters == null) {
      throw CommandException.badInput(
          config
              + " does not name model, filters, inner-rate, order and eps; it is not the file of a"
              + " run");
    }
    return options.learner();
  }

  private static Path configOf(Path model) {
    return RunDirectory.configOf(
        Files.isDirectory(model) ? model : model.toAbsolutePath().getParent());
  }
}
