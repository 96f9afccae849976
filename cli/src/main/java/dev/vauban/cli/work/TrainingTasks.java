package dev.vauban.cli.work;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.OuterLoop;
import dev.vauban.cli.job.Validations;
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
  static TrainingTasks of(
      DataRoles roles, Episodes episodes, OuterLoop loop, Validations validations) {
    Episodes validate =
        validations.shots() == 0 ? episodes : episodes.withShots(validations.shots());
    return new TrainingTasks(
        toLearnFrom(roles, episodes, loop),
        roles
            .validation()
            .map(set ->
                DataRoles.sampler(
                    set,
                    "validation",
                    WITHOUT,
                    validate,
                    Stream.VALIDATION_EPISODES.key(loop.seed()))));
  }

  /** Those to learn from alone; refused as by {@link #of}. */
  static EpisodeSampler toLearnFrom(DataRoles roles, Episodes episodes, OuterLoop loop) {
    Episodes train = loop.trainWays() == 0 ? episodes : episodes.withWays(loop.trainWays());
    return DataRoles.sampler(
        roles.training(), "training", "", train, Stream.EPISODES.key(loop.seed()));
  }
}
