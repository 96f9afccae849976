package dev.vauban.meta;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Classifier;
import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Trades;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.NearestName;
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
 *   <tr><td>msl</td><td>clean</td><td>clean, mean over all inner steps (MAML++)</td></tr>
 *   <tr><td>reptile</td><td>clean</td><td>none: moves towards the adapted weights</td></tr>
 *   <tr><td>rmaml-out</td><td>clean</td><td>clean + gamma robust</td></tr>
 *   <tr><td>rmaml-both</td><td>clean + gammaIn robust</td><td>clean + gamma robust</td></tr>
 *   <tr><td>rmaml-in</td><td>clean + gammaIn robust</td><td>clean</td></tr>
 *   <tr><td>rmaml-trades</td><td>clean</td><td>clean + gamma KL (TRADES)</td></tr>
 *   <tr><td>aq</td><td>clean</td><td>robust (adversarial querying)</td></tr>
 *   <tr><td>adml</td><td>clean | robust</td><td>robust | clean, averaged</td></tr>
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
          "msl",
          "reptile",
          "rmaml-out",
          "rmaml-both",
          "rmaml-in",
          "rmaml-trades",
          "aq",
          "adml");

  private MetaLearners() {}

  /**
   * What a named meta-learner may be told; what it has no use for is ignored.
   *
   * @param steps inner steps while training
   * @param rate inner step size, the papers' alpha
   * @param order of the meta-gradient
   * @param attack in the robust loss
   * @param gamma weight of the robust outer loss (rmaml-trades: beta)
   * @param gammaIn weight of the robust inner loss
   */
  public record Options(
      int steps, double rate, Order order, Attack attack, double gamma, double gammaIn) {
    /** Checks the ranges. */
    public Options {
      if (steps < 0 || !(rate > 0) || !(gamma >= 0) || !(gammaIn >= 0)) {
        throw new IllegalArgumentException(
            "a meta-learner needs at least 0 inner steps, a rate above 0 and weights of at least"
                + " 0, not %d, %s, %s, %s".formatted(steps, rate, gamma, gammaIn));
      }
    }

    /** The papers' usual ones: 5 second-order steps; FGSM-RS at this radius, weights 1. */
    public static Options usual(double rate, double eps) {
      return new Options(5, rate, Order.SECOND, new FgsmRs(new Linf(eps)), 1, 1);
    }

    /** These options with another number of inner steps. */
    public Options withSteps(int number) {
      return new Options(number, rate, order, attack, gamma, gammaIn);
    }

    /** These options with another order. */
    public Options with(Order other) {
      return new Options(steps, rate, other, attack, gamma, gammaIn);
    }

    /** These options with another attack. */
    public Options with(Attack other) {
      return new Options(steps, rate, order, other, gamma, gammaIn);
    }
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The meta-learner of this name for a network.
   *
   * @param net for a {@link dev.vauban.nn.Model}, {@code model::logits}
   * @throws IllegalArgumentException if there is no such method, with the nearest name
   */
  public static Method named(String name, Classifier net, Options o) {
    String n = name.strip().toLowerCase(Locale.ROOT);
    Loss clean = (w, b) -> Losses.crossEntropy(net.logits(w, b.x()), b.y()).mean();
    Loss robust = new AdversarialTraining(o.attack()).apply(clean);
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
          case "reptile" -> new Reptile(clean, o.steps(), o.rate());
          case "rmaml-out" -> new Maml(clean, outer, o.steps(), o.rate(), o.order());
          case "rmaml-both" -> new Maml(inner, outer, o.steps(), o.rate(), o.order());
          case "rmaml-in" -> new Maml(inner, clean, o.steps(), o.rate(), o.order());
          case "rmaml-trades" ->
              new Maml(
                  clean, new Trades(net, o.attack(), o.gamma()), o.steps(), o.rate(), o.order());
          case "aq" -> new Maml(clean, robust, o.steps(), o.rate(), o.order());
          case "adml" -> new Adml(clean, robust, o.steps(), o.rate(), o.order());
          default ->
              throw new IllegalArgumentException(NearestName.unknown("meta-learner", name, NAMES));
        };
    MetaLearner evaluation = n.equals("rmaml-both") || n.equals("rmaml-in") ? plain : training;
    // The attack's accuracy is shown in training where it costs nothing: the loss has the images.
    boolean shared = n.equals("rmaml-out") || n.equals("rmaml-both") || n.equals("aq");
    return new Method(n, training, evaluation, clean, shared ? o.attack() : null);
  }
}
