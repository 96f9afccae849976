package dev.vauban.cli.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** A command that takes values from an earlier run's {@code config.yaml}. */
public interface Base {
  /** The file and its rank, once the other options are known; empty if none applies. */
  Optional<Inherited> base();

  /**
   * Settings of an earlier run.
   *
   * @param file a run's config.yaml; keys that the command does not have are left out
   * @param rank how strong its values are
   * @param except keys that are not taken over
   */
  record Inherited(Path file, Rank rank, Set<String> except) {
    /** All settings of {@code file} that the command has. */
    public Inherited(Path file, Rank rank) {
      this(file, rank, Set.of());
    }

    /** The same without some keys. */
    public Inherited without(String... keys) {
      return new Inherited(file, rank, Set.of(keys));
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
