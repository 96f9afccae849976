package dev.vauban.cli.work;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Episodes;
import dev.vauban.nn.data.EpisodeSampler;
import java.util.Optional;

/**
 * The episodes of a training.
 *
 * @param training to learn from
 * @param validation to choose the best weights by; empty for none
 */
record TrainingTasks(EpisodeSampler training, Optional<EpisodeSampler> validation) {
  private static final String WITHOUT = ", or --validate-every 0 to train without validation";

  /**
   * The episodes that a seed stands for.
   *
   * @throws CommandException exit 2, if a split has too few classes, or a class too few images
   */
  static TrainingTasks of(DataRoles roles, Episodes episodes, long seed) {
    return new TrainingTasks(
        DataRoles.sampler(roles.training(), "training", "", episodes, Stream.EPISODES.key(seed)),
        roles
            .validation()
            .map(set ->
                DataRoles.sampler(
                    set, "validation", WITHOUT, episodes, Stream.VALIDATION_EPISODES.key(seed))));
  }
}
