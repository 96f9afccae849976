package dev.vauban.cli.work;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Training;
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
   * The episodes that a training's seed stands for.
   *
   * @throws CommandException exit 2, if a split has too few classes, or a class too few images
   */
  static TrainingTasks of(DataRoles roles, Episodes episodes, Training training) {
    long seed = training.seed();
    Episodes train = training.trainWays() == 0 ? episodes : episodes.withWays(training.trainWays());
    Episodes validate =
        training.validateShots() == 0 ? episodes : episodes.withShots(training.validateShots());
    return new TrainingTasks(
        DataRoles.sampler(roles.training(), "training", "", train, Stream.EPISODES.key(seed)),
        roles
            .validation()
            .map(set ->
                DataRoles.sampler(
                    set, "validation", WITHOUT, validate, Stream.VALIDATION_EPISODES.key(seed))));
  }
}
