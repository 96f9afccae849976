package dev.vauban.bench.gates;

import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.Linf;
import dev.vauban.meta.MetaLearners;
import dev.vauban.meta.Method;
import dev.vauban.meta.Order;
import dev.vauban.nn.Model;
import java.util.List;

/**
 * What is trained for the gates: a method and its size. Everything else is the same for all and
 * stands in {@link Laboratory}.
 *
 * @param key names the recipe in files and gates
 * @param title names it in tables
 * @param learner a name that {@link MetaLearners} knows
 * @param gamma weight of the robust outer loss
 * @param shots support images of a class in training; evaluation has one
 * @param filters of each of the four convolutions
 * @param iterations meta-steps
 * @param episodes evaluation episodes
 * @param reference what an independent implementation measured, or null
 */
public record Recipe(
    String key,
    String title,
    String learner,
    double gamma,
    int shots,
    int filters,
    int iterations,
    int episodes,
    Reference reference) {
  /** Radius of the training attack, FGSM from a random start. */
  public static final int TRAIN_EPS = 16;

  private static final int STEPS = 5;
  private static final double RATE = 0.1;

  /**
   * Figures of one seed of an independent implementation, in percent.
   *
   * @param clean accuracy
   * @param robust accuracies under PGD-10 at 4, 8, 16 and 32/255; NaN where not measured
   * @param id90 components that hold 90% of the features' variance; NaN if not measured
   */
  public record Reference(double clean, List<Double> robust, double id90) {}

  /** All recipes, small ones first. */
  public static List<Recipe> all() {
    double none = Double.NaN;
    return List.of(
        small("maml", "MAML", "maml", 0, 1, ref(82.2, none, 48.2, 21.1, none, 29)),
        small(
            "inner-only", "inner-only", "rmaml-in", 0, 1, ref(83.8, none, 43.6, 16.2, none, none)),
        small(
            "rmaml-out-0.2",
            "R-MAML_out γ=0.2",
            "rmaml-out",
            0.2,
            1,
            ref(81.8, none, 70.8, 56.8, none, none)),
        small(
            "rmaml-out",
            "R-MAML_out γ=1",
            "rmaml-out",
            1,
            1,
            ref(77.8, none, 70.1, 60.6, none, 23)),
        small(
            "rmaml-both",
            "R-MAML_both",
            "rmaml-both",
            1,
            1,
            ref(82.6, none, 74.6, 62.3, none, none)),
        small("aq", "AQ", "aq", 1, 1, ref(76.1, none, 69.0, 60.5, none, 21)),
        small("its", "ITS (5 to 1 shot)", "rmaml-out", 1, 5, ref(78.8, none, 69.6, 58.4, none, 30)),
        large("maml", "MAML", "maml", 0, ref(89.6, 77.3, 60.8, 39.3, 10.2, none)),
        large("aq", "AQ", "aq", 1, ref(89.7, 87.4, 84.9, 77.4, 50.3, none)),
        large("rmaml-out", "R-MAML_out γ=1", "rmaml-out", 1, null));
  }

  private static Reference ref(
      double clean, double r4, double r8, double r16, double r32, double id90) {
    return new Reference(clean, List.of(r4, r8, r16, r32), id90);
  }

  private static Recipe small(
      String key, String title, String learner, double gamma, int shots, Reference reference) {
    return new Recipe(key + "-32", title, learner, gamma, shots, 32, 600, 100, reference);
  }

  private static Recipe large(
      String key, String title, String learner, double gamma, Reference reference) {
    return new Recipe(key + "-64", title, learner, gamma, 1, 64, 1500, 200, reference);
  }

  /** This recipe with other amounts of work, for trying things out. */
  public Recipe sized(int metaSteps, int evaluationEpisodes) {
    return new Recipe(
        key, title, learner, gamma, shots, filters, metaSteps, evaluationEpisodes, reference);
  }

  /** Filters and meta-steps, for example {@code 32 filters, 600 meta-steps}. */
  public String size() {
    return filters + " filters, " + iterations + " meta-steps";
  }

  /** The method: first order, five inner steps of 0.1. */
  public Method method(Model model) {
    return MetaLearners.named(
        learner,
        model::logits,
        new MetaLearners.Options(
            STEPS, RATE, Order.FIRST, new FgsmRs(new Linf(TRAIN_EPS / 255.0)), gamma, 1));
  }
}
