package dev.vauban.cli.job;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.run.Pace;
import java.util.List;

/**
 * How a generator of perturbations is made and taught.
 *
 * @param data whose training images it learns from
 * @param eps bound of each pixel's change, in (0,1)
 * @param filters of the generator's first layer
 * @param surrogates networks of one's own, as {@link dev.vauban.nn.Models} names them
 * @param surrogateSteps batches that each of them is trained for
 * @param imitation the first stage
 * @param adaptation the second stage
 * @param seed of all randomness
 * @param compute where it runs
 * @param pace how often it is written down
 */
public record GeneratorTraining(
    DataSpec data,
    double eps,
    int filters,
    List<String> surrogates,
    int surrogateSteps,
    Imitation imitation,
    Adaptation adaptation,
    long seed,
    Compute compute,
    Pace pace) {
  /** Keeps a copy. */
  public GeneratorTraining {
    surrogates = List.copyOf(surrogates);
  }

  /** Steps of both stages together. */
  public int steps() {
    return imitation.steps() + adaptation.steps();
  }

  /**
   * Stage 1: the likelihood of what a white-box attack does to the surrogates.
   *
   * @param steps batches; 0 for none
   * @param attackSteps of the attack that is imitated
   * @param batch images
   * @param rate Adam's
   */
  public record Imitation(int steps, int attackSteps, int batch, double rate) {}

  /**
   * Stage 2: Reptile over images.
   *
   * @param steps batches; 0 for none
   * @param tasks images of a batch
   * @param innerSteps on each image
   * @param innerRate Adam's, on each image
   * @param kappa by how many logits a surrogate shall be wrong
   * @param rate of the outer optimiser
   */
  public record Adaptation(
      int steps, int tasks, int innerSteps, double innerRate, double kappa, double rate) {}
}
