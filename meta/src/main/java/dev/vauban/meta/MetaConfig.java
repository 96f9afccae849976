package dev.vauban.meta;

import dev.vauban.nn.NearestName;
import java.util.List;
import java.util.Locale;

/**
 * Settings of a meta-training run and of its evaluation. The presets are those of the papers and of
 * the reference measurement that the acceptance gates refer to.
 *
 * @param model a name that {@link dev.vauban.nn.Models} knows
 * @param ways classes of an episode
 * @param shots support images of a class
 * @param queries query images of a class
 * @param tasks tasks of a meta-step
 * @param iterations meta-steps
 * @param steps inner steps in training
 * @param testSteps fine-tune steps in evaluation
 * @param rate inner step size, alpha
 * @param order of the meta-gradient
 * @param metaRate Adam's step size
 * @param clip limit on each element of the meta-gradient; 0 for none
 * @param attack training attack, a name that {@link dev.vauban.adversarial.Attacks} knows
 * @param trainEps its radius
 * @param testEps radius in evaluation
 * @param gamma weight of the robust outer loss
 * @param episodes evaluation episodes
 */
public record MetaConfig(
    String model,
    int ways,
    int shots,
    int queries,
    int tasks,
    int iterations,
    int steps,
    int testSteps,
    double rate,
    Order order,
    double metaRate,
    double clip,
    String attack,
    double trainEps,
    double testEps,
    double gamma,
    int episodes) {
  private static final List<String> PRESETS =
      List.of("gate", "omniglot", "rmaml-omniglot", "rmaml-cifar-fs", "cifar-fs");

  /** The names that {@link #preset} knows. */
  public static List<String> presets() {
    return PRESETS;
  }

  /**
   * The settings of this name.
   *
   * @throws IllegalArgumentException if there are none, with the nearest name
   */
  public static MetaConfig preset(String name) {
    return switch (name.strip().toLowerCase(Locale.ROOT)) {
      case "gate" -> gate();
      case "omniglot" -> omniglot();
      case "rmaml-omniglot" -> rmamlOmniglot();
      case "rmaml-cifar-fs" -> rmamlCifarFs();
      case "cifar-fs" -> cifarFs();
      default -> throw new IllegalArgumentException(NearestName.unknown("preset", name, PRESETS));
    };
  }

  /**
   * The reference measurement on Omniglot: first order, 64 strided filters, 1,500 meta-steps, no
   * rotations. Its data are all characters shuffled, 1,200 to train on ({@link
   * dev.vauban.nn.data.OmniglotSplit#SHUFFLED}); the default split tests on other alphabets than it
   * trains on and is several points harder.
   */
  public static MetaConfig gate() {
    return new MetaConfig(
        "conv4-strided-64",
        5,
        1,
        15,
        4,
        1500,
        5,
        10,
        0.1,
        Order.FIRST,
        1e-3,
        0,
        "fgsm-rs",
        16 / 255.0,
        16 / 255.0,
        1,
        200);
  }

  /** MAML's Omniglot settings (Finn et al. 2017) with 15 queries per class. */
  public static MetaConfig omniglot() {
    return new MetaConfig(
        "conv4-strided-64",
        5,
        1,
        15,
        32,
        60_000,
        1,
        3,
        0.4,
        Order.SECOND,
        1e-3,
        0,
        "fgsm-rs",
        8 / 255.0,
        8 / 255.0,
        0.2,
        600);
  }

  /** R-MAML's released Omniglot settings; 15,000 meta-steps as on miniImageNet. */
  public static MetaConfig rmamlOmniglot() {
    return new MetaConfig(
        "conv4-rmaml-64",
        5,
        1,
        15,
        4,
        15_000,
        5,
        10,
        0.01,
        Order.FIRST,
        1e-3,
        0,
        "fgsm-rs",
        10 / 255.0,
        10 / 255.0,
        0.2,
        1000);
  }

  /** R-MAML's released CIFAR-FS settings. */
  public static MetaConfig rmamlCifarFs() {
    return new MetaConfig(
        "conv4-cifar",
        5,
        1,
        15,
        4,
        15_000,
        5,
        10,
        0.01,
        Order.FIRST,
        1e-3,
        0,
        "fgsm-rs",
        8 / 255.0,
        8 / 255.0,
        1,
        600);
  }

  /** MAML with max-pooled filters and clipped meta-gradients, as on miniImageNet, for CIFAR-FS. */
  public static MetaConfig cifarFs() {
    return new MetaConfig(
        "conv4-32",
        5,
        1,
        15,
        4,
        60_000,
        5,
        10,
        0.01,
        Order.SECOND,
        1e-3,
        10,
        "fgsm-rs",
        8 / 255.0,
        8 / 255.0,
        0.2,
        600);
  }
}
