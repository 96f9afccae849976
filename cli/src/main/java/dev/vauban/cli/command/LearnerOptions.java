package dev.vauban.cli.command;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Learner;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** The meta-learner, the network, and the attack inside robust training. */
public final class LearnerOptions {
  @Option(
      names = "--method",
      paramLabel = "METHOD",
      defaultValue = "maml",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Method method;

  @Option(
      names = "--model",
      paramLabel = "MODEL",
      description = "${COMPLETION-CANDIDATES} (default: what the data set's papers use)")
  Model model;

  @Range(min = 1, max = 1024)
  @Option(
      names = "--filters",
      paramLabel = "N",
      defaultValue = "64",
      description = "filters per convolution (default: ${DEFAULT-VALUE})")
  int filters;

  @Range(min = 1, max = 100)
  @Option(
      names = "--inner-steps",
      paramLabel = "N",
      defaultValue = "5",
      description = "gradient steps of adaptation in training (default: ${DEFAULT-VALUE})")
  int innerSteps;

  @Range(above = 0, max = 100)
  @Option(
      names = "--inner-rate",
      paramLabel = "RATE",
      description = "step size of adaptation (default: 0.1 on grey images, 0.01 on colour)")
  Double innerRate;

  @Option(
      names = "--order",
      paramLabel = "ORDER",
      description =
          "gradients through adaptation: ${COMPLETION-CANDIDATES} (default: second; first for"
              + " fomaml)")
  Order order;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--gamma",
      paramLabel = "W",
      defaultValue = "1",
      description = "weight of the robust loss in rmaml-* (default: ${DEFAULT-VALUE})")
  double gamma;

  @Option(
      names = "--train-attack",
      paramLabel = "ATTACK",
      defaultValue = "fgsm-rs",
      description =
          "attack in the robust loss: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  TrainAttack trainAttack;

  @Range(min = 1, max = 100)
  @Option(
      names = "--train-attack-steps",
      paramLabel = "N",
      defaultValue = "7",
      description = "its steps, if it is pgd (default: ${DEFAULT-VALUE})")
  int trainAttackSteps;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      description =
          "budget of the training attack, as 8/255 or a decimal in (0,1) (default: 16/255 on grey"
              + " images, 8/255 on colour)")
  Eps eps;

  /**
   * The learner.
   *
   * @throws CommandException exit 2, if the options contradict each other
   */
  Learner learner() {
    if (method == Method.FOMAML && order == Order.SECOND) {
      throw CommandException.badInput(
          "--order second: fomaml is first-order MAML; use --method maml for second order");
    }
    if (eps.value() >= 1) {
      throw CommandException.badInput(
          "--eps " + eps + ": the budget of an L-infinity attack must be below 1");
    }
    return new Learner(
        method,
        model,
        filters,
        innerSteps,
        innerRate,
        order,
        gamma,
        trainAttack,
        trainAttack == TrainAttack.FGSM_RS ? 1 : trainAttackSteps,
        eps.value());
  }

  /** What fits the method and the data. */
  Map<String, Value> presets(DataSpec data) {
    Map<String, Value> presets = new LinkedHashMap<>(suitedTo(data));
    presets.put(
        "order",
        method == Method.FOMAML
            ? new Value("first", "fomaml is first-order")
            : new Value("second", "default"));
    return presets;
  }

  /** What the papers use for each kind of data. */
  static Map<String, Value> suitedTo(DataSpec data) {
    String source = "suited to " + data.kind().label();
    return switch (data.kind()) {
      case OMNIGLOT, GLYPHS, MNIST, FASHION -> presets("conv4-strided", "0.1", "16/255", source);
      case CIFARFS -> presets("conv4-cifarfs", "0.01", "8/255", source);
      case FOLDER -> presets("conv4", "0.01", "8/255", source);
    };
  }

  private static Map<String, Value> presets(
      String model, String innerRate, String eps, String source) {
    return Map.of(
        "model", new Value(model, source),
        "inner-rate", new Value(innerRate, source),
        "eps", new Value(eps, source));
  }
}
