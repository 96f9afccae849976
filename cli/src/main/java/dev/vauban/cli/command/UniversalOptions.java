package dev.vauban.cli.command;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.GradientSource;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.UniversalTasks;
import dev.vauban.meta.tuning.Gradients;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** Few-shot universal attacks: sources, victims, tasks, bounds, and what a tuner may see. */
public final class UniversalOptions {
  /**
   * What a test takes from the run unless told otherwise: everything here and in {@link
   * TaskOptions}.
   */
  static final Set<String> NAMES =
      Set.of(
          "data",
          "eps",
          "kappa",
          "penalty",
          "ways",
          "shots",
          "unseen",
          "victim",
          "victim-steps",
          "victim-seed",
          "classes",
          "victims",
          "gradients",
          "directions",
          "smoothing");

  @Option(
      names = "--data",
      paramLabel = "DATA",
      split = ",",
      defaultValue = "glyphs",
      description =
          "image sources, with commas: omniglot:DIR, cifarfs:DIR, mnist:DIR, fashion:DIR, folder:DIR"
              + " or glyphs[:SEED]; each has a victim of its own (default: ${DEFAULT-VALUE})")
  List<DataSpec> data;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      split = ",",
      defaultValue = "0.1",
      description =
          "largest change of a pixel, e.g. 8/255 or 0.1; one for all sources or one for each, with"
              + " commas (default: ${DEFAULT-VALUE})")
  List<Eps> eps;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--kappa",
      paramLabel = "LOGITS",
      defaultValue = "1",
      description =
          "by how many logits an image shall be misclassified; with 0 a tuner stops as soon as its"
              + " few images are (default: ${DEFAULT-VALUE})")
  double kappa;

  @Range(min = 0)
  @Option(
      names = "--penalty",
      paramLabel = "WEIGHT",
      defaultValue = "0",
      description = "weight of the mean absolute change in the loss (default: ${DEFAULT-VALUE})")
  double penalty;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--ways",
      paramLabel = "N",
      defaultValue = "2",
      description = "classes per task (default: ${DEFAULT-VALUE})")
  int ways;

  @Option(
      names = "--victim",
      paramLabel = "MODEL",
      defaultValue = "cnn-16-32-64",
      description =
          "network of the victims: cnn-F-F-..., mlp-A-B-..., linear (default: ${DEFAULT-VALUE})")
  String victim;

  @Range(min = 1)
  @Option(
      names = "--victim-steps",
      paramLabel = "N",
      defaultValue = "600",
      description = "batches of 64 that a victim is trained for (default: ${DEFAULT-VALUE})")
  int victimSteps;

  @Option(
      names = "--victim-seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "seed of the victims' training (default: ${DEFAULT-VALUE})")
  long victimSeed;

  @Range(min = 0, max = 100_000)
  @Option(
      names = "--classes",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "classes that a victim tells apart; 0 for 20 of Omniglot and glyphs, 10 of others"
              + " (default: ${DEFAULT-VALUE})")
  int classes;

  @Option(
      names = "--victims",
      paramLabel = "DIR",
      defaultValue = "victims",
      description =
          "folder of the victims, which are trained once for the same images and settings (default:"
              + " ${DEFAULT-VALUE})")
  Path victims;

  @Option(
      names = "--gradients",
      paramLabel = "WHICH",
      defaultValue = "exact",
      description =
          "what a tuner sees of the loss: ${COMPLETION-CANDIDATES}; estimated ones are made of"
              + " answers of the victim alone (default: ${DEFAULT-VALUE})")
  GradientSource gradients;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--directions",
      paramLabel = "N",
      defaultValue = "20",
      description = "random directions of an estimate (default: ${DEFAULT-VALUE})")
  int directions;

  @Range(above = 0, max = 1)
  @Option(
      names = "--smoothing",
      paramLabel = "MU",
      defaultValue = "0.01",
      description =
          "how far an estimate looks along a direction, in pixels' units (default: ${DEFAULT-VALUE})")
  double smoothing;

  /**
   * The tasks.
   *
   * @param shots images per class to tune on
   * @param unseen other images per class to be judged on
   */
  UniversalTasks tasks(int shots, int unseen) {
    if (eps.size() != 1 && eps.size() != data.size()) {
      throw CommandException.badInput(
          "--eps gives %d bounds for %d image sources; give one, or one for each"
              .formatted(eps.size(), data.size()));
    }
    List<UniversalTasks.Source> sources = new ArrayList<>();
    for (int i = 0; i < data.size(); i++) {
      sources.add(new UniversalTasks.Source(data.get(i), eps.get(eps.size() == 1 ? 0 : i).linf()));
    }
    return new UniversalTasks(
        sources,
        victim,
        victimSteps,
        victimSeed,
        classes,
        victims,
        ways,
        shots,
        unseen,
        kappa,
        penalty);
  }

  Gradients slope() {
    return gradients == GradientSource.EXACT
        ? Gradients.exact()
        : new Gradients.Estimated(directions, smoothing);
  }
}
