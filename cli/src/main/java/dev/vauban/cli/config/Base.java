package dev.vauban.cli.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Predicate;

/** A command that takes values from an earlier run's {@code config.yaml}. */
public interface Base {
  /** The file and its rank, once the other options are known; empty if none applies. */
  Optional<Inherited> base();

  /**
   * Settings of an earlier run.
   *
   * @param file a run's config.yaml; keys that the command does not have are left out
   * @param rank how strong its values are
   * @param taken which keys are taken over
   */
  record Inherited(Path file, Rank rank, Predicate<String> taken) {
    /** All settings of {@code file} that the command has. */
    public Inherited(Path file, Rank rank) {
      this(file, rank, key -> true);
    }
  }

  /** Where inherited values stand in the merge. */
  enum Rank {
    /** Below flags alone: a resumed run keeps its settings whatever the environment says. */
    BELOW_FLAGS,
    /** Just above the defaults: an evaluation starts from what the run was trained with. */
    ABOVE_DEFAULTS
  }
}
