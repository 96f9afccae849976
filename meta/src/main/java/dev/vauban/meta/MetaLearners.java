package dev.vauban.meta;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Classifier;
import dev.vauban.adversarial.Divergence;
import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.InstanceContrast;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Trades;
import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.NearestName;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.nn.augment.Augmentations;
import dev.vauban.tensor.Key;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * Meta-learners by name, for configuration files and the command line.
 *
 * <table>
 *   <caption>The methods</caption>
 *   <tr><th>name</th><th>inner loss</th><th>outer loss, on queries</th></tr>
 *   <tr><td>maml, fomaml</td><td>clean</td><td>clean</td></tr>
 *   <tr><td>anil, boil</td><td>clean; only the head, all but the head adapts</td><td>clean</td></tr>
 *   <tr><td>meta-sgd</td><td>clean, learned step sizes</td><td>clean</td></tr>
 *   <tr><td>maml-lft</td><td>clean, by a learned optimiser</td><td>clean</td></tr>
 *   <tr><td>msl</td><td>clean</td><td>clean, mean over all inner steps (MAML++)</td></tr>
 *   <tr><td>maml++</td><td>clean, learned step sizes and norms per step</td><td>clean, all inner
 *   steps at first, then the last</td></tr>
 *   <tr><td>reptile</td><td>clean</td><td>none: moves towards the adapted weights</td></tr>
 *   <tr><td>protonet, protonet-aq</td><td>none: class means</td><td>clean; robust</td></tr>
 *   <tr><td>rfs, rfs-at</td><td>none: a fitted logistic regression</td><td>none: one classifier of
 *   all training classes, clean or adversarially trained</td></tr>
 *   <tr><td>rmaml-out, ranil-out</td><td>clean (ranil: only the head adapts)</td><td>clean + gamma
 *   robust</td></tr>
 *   <tr><td>rmaml-both</td><td>clean + gammaIn robust</td><td>clean + gamma robust</td></tr>
 *   <tr><td>rmaml-in</td><td>clean + gammaIn robust</td><td>clean</td></tr>
 *   <tr><td>rmaml-dual</td><td>clean</td><td>clean, then robust, each by its own Adam</td></tr>
 *   <tr><td>rmaml-trades</td><td>clean</td><td>clean + gamma KL (TRADES)</td></tr>
 *   <tr><td>rmaml-trades-ul</td><td>clean</td><td>clean + gamma KL over support, query and
 *   unlabeled images</td></tr>
 *   <tr><td>rmaml-cl</td><td>clean</td><td>clean + gamma robust + contrast of the meta-weights</td>
 *   </tr>
 *   <tr><td>aq</td><td>clean</td><td>robust (adversarial querying)</td></tr>
 *   <tr><td>aq-both</td><td>robust (attacked support)</td><td>robust</td></tr>
 *   <tr><td>adml</td><td>clean | robust</td><td>robust | clean, averaged</td></tr>
 *   <tr><td>mavrl</td><td>clean, on two views</td><td>both views clean, robust and in agreement</td>
 *   </tr>
 * </table>
 */
public final class MetaLearners {
  private static final List<String> NAMES =
      List.of(
          "maml",
          "fomaml",
          "anil",
          "boil",
          "meta-sgd",
          "maml-lft",
          "msl",
          "maml++",
          "reptile",
          "protonet",
          "protonet-aq",
          "rfs",
          "rfs-at",
          "rmaml-out",
          "rmaml-both",
          "rmaml-in",
          "rmaml-dual",
          "rmaml-trades",
          "rmaml-trades-ul",
          "rmaml-cl",
          "ranil-out",
          "aq",
          "aq-both",
          "adml",
          "mavrl");

  /** The small network that is maml-lft's optimiser starts the same in every training. */
  private static final Key TUNER_START = Key.of(1);

  private MetaLearners() {}

  /**
   * What a named meta-learner may be told; what it has no use for is ignored.
   *
   * @param steps inner steps while training
   * @param rate inner step size, the papers' alpha (maml-lft: scale of the learned step)
   * @param order of the meta-gradient
   * @param attack in the robust loss
   * @param gamma weight of the robust outer loss (rmaml-trades: beta; mavrl: lambda)
   * @param gammaIn weight of the robust inner loss
   * @param more what only some methods know
   */
  public record Options(
      int steps, double rate, Order order, Attack attack, double gamma, double gammaIn, More more) {
    /** Checks the ranges. */
    public Options {
      if (steps < 0 || !(rate > 0) || !(gamma >= 0) || !(gammaIn >= 0)) {
        throw new IllegalArgumentException(
            "a meta-learner needs at least 0 inner steps, a rate above 0 and weights of at least"
                + " 0, not %d, %s, %s, %s".formatted(steps, rate, gamma, gammaIn));
      }
    }

    /** Options with {@link More#USUAL}. */
    public Options(
        int steps, double rate, Order order, Attack attack, double gamma, double gammaIn) {
      this(steps, rate, order, attack, gamma, gammaIn, More.USUAL);
    }

    /** The papers' usual ones: 5 second-order steps; FGSM-RS at this radius, weights 1. */
    public static Options usual(double rate, double eps) {
      return new Options(5, rate, Order.SECOND, new FgsmRs(new Linf(eps)), 1, 1);
    }

    /** These options with another number of inner steps. */
    public Options withSteps(int number) {
      return new Options(number, rate, order, attack, gamma, gammaIn, more);
    }

    /** These options with another order. */
    public Options with(Order other) {
      return new Options(steps, rate, other, attack, gamma, gammaIn, more);
    }

    /** These options with another attack. */
    public Options with(Attack other) {
      return new Options(steps, rate, order, other, gamma, gammaIn, more);
    }

    /** These options with other details. */
    public Options with(More other) {
      return new Options(steps, rate, order, attack, gamma, gammaIn, other);
    }
  }

  /** What R-MAML adds to the clean loss. */
  public enum Regularizer {
    /** The cross-entropy of attacked images. */
    CROSS_ENTROPY,
    /** The divergence of clean and attacked predictions: TRADES. */
    DIVERGENCE
  }

  /**
   * What only some methods know.
   *
   * @param trainWays classes of a training episode where they are more than the network's head has,
   *     for protonet; 0 for as many
   * @param iterations meta-steps of the whole training, over which maml++ changes
   * @param unlabeled images without labels of each task (rmaml-trades-ul)
   * @param views makes views (rmaml-cl, mavrl) and further support images (rfs); null for what
   *     suits the images
   * @param copies of each support image for the fit of rfs
   * @param contrast weight of the contrastive loss (rmaml-cl) or of the agreement (mavrl)
   * @param temperature of similarities
   * @param regularizer the robust loss of rmaml-out, -both, -in, -dual, -cl and ranil-out
   */
  public record More(
      int trainWays,
      int iterations,
      int unlabeled,
      Augmentation views,
      int copies,
      double contrast,
      double temperature,
      Regularizer regularizer) {
    /** As many ways, 1500 meta-steps, 25 unlabeled images, suited views, weight 0.1 at 0.5. */
    public static final More USUAL =
        new More(0, 1500, 25, null, 1, 0.1, 0.5, Regularizer.CROSS_ENTROPY);

    /** Checks the ranges. */
    public More {
      if (trainWays < 0 || iterations < 1 || unlabeled < 0 || copies < 1) {
        throw new IllegalArgumentException(
            "ways and unlabeled images must be at least 0, iterations and copies at least 1, not"
                + " %d, %d, %d, %d".formatted(trainWays, unlabeled, iterations, copies));
      }
      if (!(contrast >= 0) || !(temperature > 0)) {
        throw new IllegalArgumentException(
            "a contrast needs a weight of at least 0 and a temperature above 0, not %s, %s"
                .formatted(contrast, temperature));
      }
    }
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The meta-learner of this name for a network.
   *
   * @throws IllegalArgumentException if there is no such method, with the nearest name
   */
  public static Method named(String name, Model model, Options o) {
    String n = plain(name);
    More more = o.more();
    Augmentation views = more.views() != null ? more.views() : Augmentations.suited(model.input());
    int ways = model.outputShape().dim(-1);
    return switch (n) {
      case "maml++" -> plusPlus(n, model, o);
      case "protonet" -> proto(n, model, ProtoNet.loss(model), null, ways, more);
      case "protonet-aq" -> {
        Loss robust = new AdversarialTraining(o.attack()).apply(ProtoNet.loss(model));
        yield proto(n, model, robust, o.attack(), ways, more);
      }
      case "rfs", "rfs-at" -> {
        LogisticHead head =
            new LogisticHead(model, ways, views, more.copies(), LogisticHead.USUAL_ITERATIONS);
        Attack attack = n.equals("rfs") ? null : o.attack();
        yield new Method(n, head, head, LogisticHead.loss(model), attack);
      }
      case "rmaml-cl" -> {
        Method base = named("rmaml-out", model, o);
        InstanceContrast contrast =
            new InstanceContrast(
                (w, x) -> model.features(w, x).reshape(x.shape().dim(0), -1),
                views,
                o.attack(),
                more.temperature(),
                1 / 256.0);
        MetaLearner training = new WithAuxiliary(base.training(), contrast, more.contrast());
        yield new Method(n, training, base.evaluation(), base.clean(), base.robustness());
      }
      case "mavrl" -> {
        Method base = named("maml", model, o);
        Maml maml = (Maml) base.training();
        MetaLearner training =
            new Mavrl(
                model, maml, views, o.attack(), more.temperature(), o.gamma(), more.contrast());
        yield new Method(n, training, maml, base.clean(), null);
      }
      default -> named(name, model::logits, o);
    };
  }

  private static Method plusPlus(String name, Model model, Options o) {
    Loss clean = Loss.crossEntropy(model);
    MamlPlusPlus.Plan usual = MamlPlusPlus.Plan.of(o.more().iterations());
    int first = o.order() == Order.FIRST ? o.more().iterations() : usual.secondOrderFrom();
    MamlPlusPlus.Plan plan = new MamlPlusPlus.Plan(usual.epoch(), usual.annealed(), first);
    MamlPlusPlus learner = new MamlPlusPlus(model, clean, clean, o.steps(), o.rate(), plan);
    Loss ofState = (fast, b) -> clean.of(learner.weights(fast), b);
    return new Method(name, learner, ofState);
  }

  private static Method proto(
      String name, Model model, Loss outer, Attack attack, int ways, More more) {
    int trainWays = more.trainWays() == 0 ? ways : more.trainWays();
    return new Method(
        name,
        new ProtoNet(model, outer, trainWays),
        new ProtoNet(model, outer, ways),
        ProtoNet.loss(model),
        attack);
  }

  /**
   * The meta-learner of this name for a network of which only the logits are known.
   *
   * @throws IllegalArgumentException if there is no such method, with the nearest name, or it needs
   *     to know more of the network than its logits
   */
  public static Method named(String name, Classifier net, Options o) {
    String n = plain(name);
    Loss clean = (w, b) -> Losses.crossEntropy(net.logits(w, b.x()), b.y()).mean();
    Loss attacked = new AdversarialTraining(o.attack()).apply(clean);
    boolean free = o.more().regularizer() == Regularizer.DIVERGENCE;
    Loss robust = free ? new Divergence(net, o.attack()) : attacked;
    Loss inner = RobustLosses.sum(clean, robust, o.gammaIn());
    Loss outer = RobustLosses.sum(clean, robust, o.gamma());
    Maml plain = new Maml(clean, clean, o.steps(), o.rate(), o.order());
    MetaLearner training =
        switch (n) {
          case "maml" -> plain;
          case "fomaml" -> new Maml(clean, clean, o.steps(), o.rate(), Order.FIRST);
          case "anil" ->
              new Maml(clean, clean, o.steps(), o.rate(), o.order(), Leaves.only("head"));
          case "boil" ->
              new Maml(clean, clean, o.steps(), o.rate(), o.order(), Leaves.except("head"));
          case "meta-sgd" -> new MetaSgd(clean, clean, o.steps(), o.rate());
          case "msl" -> new MultiStepMaml(plain, Collections.nCopies(o.steps(), 1.0 / o.steps()));
          case "maml-lft" -> new TunedMaml(clean, clean, o.steps(), lstm(o.rate()), TUNER_START);
          case "reptile" -> new Reptile(clean, o.steps(), o.rate());
          case "rmaml-out" -> new Maml(clean, outer, o.steps(), o.rate(), o.order());
          case "rmaml-both" -> new Maml(inner, outer, o.steps(), o.rate(), o.order());
          case "rmaml-in" -> new Maml(inner, clean, o.steps(), o.rate(), o.order());
          case "rmaml-dual" -> new TwoOptimizers(plain, robust);
          case "rmaml-trades" ->
              new Maml(
                  clean, new Trades(net, o.attack(), o.gamma()), o.steps(), o.rate(), o.order());
          case "rmaml-trades-ul" -> new TradesOnAll(plain, net, o.attack(), o.gamma());
          case "ranil-out" ->
              new Maml(clean, outer, o.steps(), o.rate(), o.order(), Leaves.only("head"));
          case "aq" -> new Maml(clean, attacked, o.steps(), o.rate(), o.order());
          case "aq-both" -> new Maml(attacked, attacked, o.steps(), o.rate(), o.order());
          case "adml" -> new Adml(clean, attacked, o.steps(), o.rate(), o.order());
          default -> {
            if (NAMES.contains(n)) {
              throw new IllegalArgumentException(
                  "the meta-learner '" + n + "' needs a whole model, not just its logits");
            }
            throw new IllegalArgumentException(NearestName.unknown("meta-learner", name, NAMES));
          }
        };
    MetaLearner evaluation =
        switch (n) {
          case "rmaml-both", "rmaml-in", "aq-both" -> plain;
          default -> training;
        };
    int unlabeled = n.equals("rmaml-trades-ul") ? o.more().unlabeled() : 0;
    return new Method(n, training, evaluation, clean, shown(n, o), unlabeled);
  }

  /** The attack whose accuracy is shown in training, where it costs nothing: the loss has it. */
  private static Attack shown(String name, Options o) {
    if (o.more().regularizer() == Regularizer.DIVERGENCE && !name.startsWith("aq")) {
      return null; // its images are others
    }
    return switch (name) {
      case "rmaml-out", "rmaml-both", "rmaml-dual", "ranil-out", "aq", "aq-both" -> o.attack();
      default -> null;
    };
  }

  private static Tuner lstm(double scale) {
    return Tuner.learned(new LearnedOptimizer(10, LearnedOptimizer.Input.LOG_AND_SIGN, scale));
  }

  private static String plain(String name) {
    return name.strip().toLowerCase(Locale.ROOT);
  }
}
