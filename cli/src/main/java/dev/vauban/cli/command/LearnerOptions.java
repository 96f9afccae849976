package dev.vauban.cli.command;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Regularizer;
import dev.vauban.cli.config.Settings;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.config.Views;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Learner;
import java.nio.file.Path;
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
      description = "filters per convolution (default: 64; conv4-cifarfs has widths of its own)")
  Integer filters;

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
          "gradients through adaptation: ${COMPLETION-CANDIDATES} (default: second; fomaml and"
              + " reptile are first, meta-sgd is second)")
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
      names = "--regularizer",
      paramLabel = "WHICH",
      defaultValue = "ce",
      description =
          "robust loss of rmaml-*: ${COMPLETION-CANDIDATES}, cross-entropy of attacked images or"
              + " divergence from the clean ones (default: ${DEFAULT-VALUE})")
  Regularizer regularizer;

  @Option(
      names = "--views",
      paramLabel = "VIEWS",
      defaultValue = "suited",
      description =
          "augmentation of rmaml-cl, mavrl and rfs: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE} to the images)")
  Views views;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--contrast",
      paramLabel = "W",
      defaultValue = "0.1",
      description =
          "weight of the contrastive loss of rmaml-cl, of the agreement of mavrl (default:"
              + " ${DEFAULT-VALUE})")
  double contrast;

  @Range(min = 0, max = 100_000)
  @Option(
      names = "--unlabeled",
      paramLabel = "N",
      defaultValue = "25",
      description = "images without labels per task of rmaml-trades-ul (default: ${DEFAULT-VALUE})")
  int unlabeled;

  @Range(min = 1, max = 100)
  @Option(
      names = "--copies",
      paramLabel = "N",
      defaultValue = "5",
      description =
          "of each support image, augmented, that rfs fits to (default: ${DEFAULT-VALUE})")
  int copies;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "64",
      description = "images per step of the pre-training of rfs (default: ${DEFAULT-VALUE})")
  int batch;

  @Option(
      names = "--teacher",
      paramLabel = "RUN",
      description = "an earlier rfs run that teaches this one: self-distillation")
  Path teacher;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      description =
          "budget of the training attack, as 8/255 or a decimal in (0,1) (default: 16/255 on grey"
              + " images, 8/255 on colour)")
  Eps eps;

  /**
   * Refuses what the user wrote although the method or the network does otherwise.
   *
   * @param settings the merged settings
   * @param inherited the file whose values are an earlier run's, not the user's; empty for none
   * @throws CommandException exit 2, if there is such a setting
   */
  void refuseContradictions(Settings settings, String inherited) {
    if (wrote("order", settings, inherited) && method.order().filter(o -> o != order).isPresent()) {
      throw CommandException.badInput(
          "--order %s: %s is %s-order%s; leave --order out, or use --method maml"
              .formatted(
                  order.label(),
                  method.label(),
                  method.order().get().label(),
                  method == Method.FOMAML ? " MAML" : ""));
    }
    if (wrote("filters", settings, inherited) && !model.scalable()) {
      throw CommandException.badInput(
          "--filters %d: %s has widths of its own; leave --filters out, or use --model conv4"
              .formatted(filters, model.label()));
    }
  }

  /** Refuses what only makes sense with another method, or not with this one. */
  void refuseStrangers(int trainWays, int ways) {
    if (teacher != null && !method.pretrains()) {
      throw CommandException.badInput(
          "--teacher: only rfs and rfs-at have one, not " + method.label());
    }
    if (trainAttack == TrainAttack.FGSM && method.takesDivergence(regularizer)) {
      throw CommandException.badInput(
          "--train-attack fgsm: the divergence of %s has no gradient at the image itself, where fgsm"
                  .formatted(method.label())
              + " begins; use fgsm-rs or pgd");
    }
    boolean proto = method == Method.PROTONET || method == Method.PROTONET_AQ;
    if (trainWays != 0 && trainWays != ways && !proto) {
      throw CommandException.badInput(
          "--train-ways %d: the head of %s is for %d classes; only protonet may train with other"
                  .formatted(trainWays, method.label(), ways)
              + " ways");
    }
  }

  private static boolean wrote(String name, Settings settings, String inherited) {
    Value value = settings.values().get(name);
    return value != null && !value.source().equals(inherited);
  }

  /**
   * The learner.
   *
   * @throws CommandException exit 2, if the budget is too large
   */
  Learner learner() {
    return new Learner(
        method,
        model,
        model.scalable() ? filters : null,
        innerSteps,
        innerRate,
        method.order().orElse(order),
        gamma,
        trainAttack,
        trainAttack == TrainAttack.PGD ? trainAttackSteps : 1,
        eps.linf(),
        new Learner.Details(regularizer, views, contrast, unlabeled, copies, batch, teacher));
  }

  /** What fits the method and the data. */
  Map<String, Value> presets(DataSpec data) {
    Map<String, Value> presets = new LinkedHashMap<>(suitedTo(data));
    presets.put(
        "order",
        method
            .order()
            .map(o -> new Value(o.label(), method.label() + " is " + o.label() + "-order"))
            .orElse(new Value("second", "default")));
    Model network = model != null ? model : suitedModel(data);
    if (network.scalable()) {
      presets.put("filters", new Value("64", "default"));
    }
    return presets;
  }

  /** What the papers use for each kind of data. */
  static Map<String, Value> suitedTo(DataSpec data) {
    boolean grey = suitedModel(data) == Model.CONV4_STRIDED;
    String source = "suited to " + data.kind().label();
    return Map.of(
        "model", new Value(suitedModel(data).label(), source),
        "inner-rate", new Value(grey ? "0.1" : "0.01", source),
        "eps", new Value(grey ? "16/255" : "8/255", source));
  }

  private static Model suitedModel(DataSpec data) {
    return switch (data.kind()) {
      case OMNIGLOT, GLYPHS, MNIST, FASHION -> Model.CONV4_STRIDED;
      case CIFARFS -> Model.CONV4_CIFARFS;
      case FOLDER -> Model.CONV4;
    };
  }
}
