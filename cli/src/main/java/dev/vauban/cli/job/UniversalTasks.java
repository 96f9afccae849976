package dev.vauban.cli.job;

import dev.vauban.cli.config.DataSpec;
import java.nio.file.Path;
import java.util.List;

/**
 * Few-shot universal attacks: on which images and victims, how large, within which bounds.
 *
 * @param sources the image sources, each with its budget
 * @param victim the network of every source's victim, as {@link dev.vauban.nn.Models} names it
 * @param victimSteps batches that a victim is trained for
 * @param victimSeed of the victims' training
 * @param classes that a victim tells apart; 0 for what suits the source
 * @param victims folder of the trained victims
 * @param ways classes of a task
 * @param shots images per class to tune on
 * @param unseen images per class to judge on
 * @param kappa by how many logits an image shall be misclassified
 * @param penalty weight of the mean absolute change
 */
public record UniversalTasks(
    List<Source> sources,
    String victim,
    int victimSteps,
    long victimSeed,
    int classes,
    Path victims,
    int ways,
    int shots,
    int unseen,
    double kappa,
    double penalty) {
  /** Keeps a copy. */
  public UniversalTasks {
    sources = List.copyOf(sources);
  }

  /**
   * Images to attack.
   *
   * @param data where they are
   * @param eps bound of each pixel's change, in (0,1)
   */
  public record Source(DataSpec data, double eps) {
    /** How many classes its victim tells apart by default. */
    public int defaultClasses() {
      return switch (data.kind()) {
        case OMNIGLOT, GLYPHS -> 20;
        default -> 10;
      };
    }
  }
}
