package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import dev.vauban.cli.job.GeneratorTraining.Adaptation;
import dev.vauban.cli.job.GeneratorTraining.Imitation;
import java.util.List;
import picocli.CommandLine.Option;

/** A generator, its surrogates, and the two stages in which it learns. */
public final class GeneratorOptions {
  @Range(min = 1, max = 1024)
  @Option(
      names = "--filters",
      paramLabel = "N",
      defaultValue = "16",
      description = "filters of the generator's first layer (default: ${DEFAULT-VALUE})")
  int filters;

  @Option(
      names = "--surrogates",
      paramLabel = "NETWORK",
      split = ",",
      defaultValue = "cnn-16-32-64,mlp-256-128",
      description =
          "networks of your own to learn on, with commas, without batch norms: cnn-F-F-..., mlp-N-N-..."
              + " or linear (default: ${DEFAULT-VALUE})")
  List<String> surrogates;

  @Range(min = 1)
  @Option(
      names = "--surrogate-steps",
      paramLabel = "N",
      defaultValue = "600",
      description = "batches of 64 that each of them is trained for (default: ${DEFAULT-VALUE})")
  int surrogateSteps;

  @Range(min = 0, max = 1_000_000_000)
  @Option(
      names = "--imitation-steps",
      paramLabel = "N",
      defaultValue = "600",
      description =
          "steps of stage 1, which imitates an attack on the surrogates (default: ${DEFAULT-VALUE})")
  int imitationSteps;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--attack-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "steps of momentum FGSM, the attack of stage 1 (default: ${DEFAULT-VALUE})")
  int attackSteps;

  @Range(min = 1, max = 65_536)
  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "32",
      description = "images of a step of stage 1 (default: ${DEFAULT-VALUE})")
  int batch;

  @Range(above = 0, max = 10)
  @Option(
      names = "--rate",
      paramLabel = "RATE",
      defaultValue = "0.001",
      description = "Adam's step size in stage 1 (default: ${DEFAULT-VALUE})")
  double rate;

  @Range(min = 0, max = 1_000_000_000)
  @Option(
      names = "--adaptation-steps",
      paramLabel = "N",
      defaultValue = "300",
      description =
          "steps of stage 2, Reptile over images: weights that adapt quickly to an image (default:"
              + " ${DEFAULT-VALUE})")
  int adaptationSteps;

  @Range(min = 1, max = 4096)
  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "16",
      description = "images of a step of stage 2 (default: ${DEFAULT-VALUE})")
  int tasks;

  @Range(min = 1, max = 100)
  @Option(
      names = "--inner-steps",
      paramLabel = "N",
      defaultValue = "5",
      description = "steps on each of them (default: ${DEFAULT-VALUE})")
  int innerSteps;

  @Range(above = 0, max = 10)
  @Option(
      names = "--inner-rate",
      paramLabel = "RATE",
      defaultValue = "0.002",
      description = "Adam's step size in these (default: ${DEFAULT-VALUE})")
  double innerRate;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--kappa",
      paramLabel = "LOGITS",
      defaultValue = "5",
      description = "by how many logits a surrogate shall be wrong (default: ${DEFAULT-VALUE})")
  double kappa;

  @Range(above = 0, max = 10)
  @Option(
      names = "--meta-rate",
      paramLabel = "RATE",
      defaultValue = "0.001",
      description = "step size of stage 2's outer optimiser, Adam (default: ${DEFAULT-VALUE})")
  double metaRate;

  /** Steps of both stages. */
  int steps() {
    return imitationSteps + adaptationSteps;
  }

  Imitation imitation() {
    return new Imitation(imitationSteps, attackSteps, batch, rate);
  }

  Adaptation adaptation() {
    return new Adaptation(adaptationSteps, tasks, innerSteps, innerRate, kappa, metaRate);
  }
}
