package dev.vauban.cli.tuning;

import dev.vauban.adversarial.UniversalDeepFool;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerTest;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.TunerEvaluation;
import dev.vauban.meta.tuning.UniversalAttack;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Schedule;
import dev.vauban.nn.Tuner;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;

/**
 * Whom a learned tuner is compared with on one source.
 *
 * <p>A designed optimiser has, for every number of steps that is reported, the rate of its grid
 * that fools the most unseen images in tasks of <em>training</em> images after as many steps; the
 * test tasks have no part in that. So at each column it is as good as its grid allows, which no
 * single rate would be.
 */
final class Rivals {
  /** How often a pattern of chance is drawn. */
  private static final int PATTERNS = 5;

  /** Images of each class behind one perturbation for the whole source. */
  private static final int MANY = 20;

  /**
   * An optimiser somebody designed.
   *
   * @param name in tables
   * @param rates its grid, rising
   * @param at the optimiser of a rate
   */
  record Designed(String name, List<Double> rates, DoubleFunction<Optimizer> at) {}

  private final Trial.Ground choice;
  private final Trial.Ground test;
  private final TunerTest how;
  private final Session session;

  /**
   * Rivals on one source.
   *
   * @param choice tasks of training images
   * @param test tasks of test images
   */
  Rivals(Trial.Ground choice, Trial.Ground test, TunerTest how, Session session) {
    this.choice = choice;
    this.test = test;
    this.how = how;
    this.session = session;
  }

  /** The optimisers that suit what they are told of the loss. */
  static List<Designed> designed(Gradients gradients) {
    if (gradients.values() > 0) {
      return List.of(
          new Designed("ZO-SGD", List.of(0.001, 0.01, 0.1, 1.0), Optimizers::sgd),
          new Designed("ZO-signSGD", List.of(0.003, 0.01, 0.03, 0.1), Rivals::sign),
          new Designed("ZO-Adam", List.of(0.003, 0.01, 0.03, 0.1), Optimizers::adam));
    }
    return List.of(
        new Designed("SGD", List.of(0.1, 0.3, 1.0, 3.0, 10.0), Optimizers::sgd),
        new Designed("sign-SGD (PGD)", List.of(0.003, 0.01, 0.03, 0.1), Rivals::sign),
        new Designed(
            "momentum",
            List.of(0.03, 0.1, 0.3, 1.0, 3.0),
            rate -> Optimizers.momentum(Schedule.constant(rate), 0.9, 0)),
        new Designed("Adam", List.of(0.003, 0.01, 0.03, 0.1), Optimizers::adam));
  }

  private static Optimizer sign(double rate) {
    return Optimizers.sgd(rate).after(g -> g.map(Expr::sign));
  }

  /** A designed optimiser, and the rate that it has at most of the reported steps. */
  record Result(Row row, double rate, Trial trial) {}

  /** Chooses rates on training tasks and tests them. */
  Result test(Designed designed) {
    Map<Double, Trial> chosenFrom = new LinkedHashMap<>();
    for (double rate : designed.rates()) {
      chosenFrom.put(rate, choice.of(tuner(designed, rate), Tree.empty(), how.steps()));
      session.interrupt().check("nothing was written");
    }
    Map<Double, Trial> tested = new LinkedHashMap<>();
    List<Point> points = new ArrayList<>();
    for (int steps : how.at()) {
      double rate = best(chosenFrom, steps);
      Trial trial =
          tested.computeIfAbsent(rate, r -> test.of(tuner(designed, r), Tree.empty(), how.steps()));
      session.interrupt().check("nothing was written");
      points.add(trial.point(steps, rate, queries(steps), pixels()));
    }
    double rate = points.getLast().rate();
    Row row = new Row(designed.name(), Kind.DESIGNED, note(designed, points), points);
    return new Result(row, rate, tested.get(rate));
  }

  private static Tuner tuner(Designed designed, double rate) {
    return Tuner.of(designed.at().apply(rate));
  }

  /**
   * The rate that fools the most unseen images; of equals, the one that also fools the most seen.
   */
  private static double best(Map<Double, Trial> trials, int steps) {
    double best = trials.keySet().iterator().next();
    for (double rate : trials.keySet()) {
      if (trials.get(rate).unseen(steps) > trials.get(best).unseen(steps)) {
        best = rate;
      }
    }
    return best;
  }

  private static String note(Designed designed, List<Point> points) {
    String grid =
        designed.rates().stream()
            .map(r -> String.format(Locale.ROOT, "%s", r))
            .collect(Collectors.joining(", "));
    boolean edge =
        points.stream()
            .anyMatch(p ->
                p.rate().equals(designed.rates().getFirst())
                    || p.rate().equals(designed.rates().getLast()));
    return "rates %s%s".formatted(grid, edge ? "; a chosen one is at the grid's end" : "");
  }

  /** Constant and random patterns at the bound: what needs neither gradients nor images. */
  List<Row> controls(Key key) {
    int[] shape = test.problems().variables().get("delta").shape().dims();
    double eps = test.problems().perturbation().eps();
    List<Row> rows = new ArrayList<>();
    rows.add(control("constant +eps", List.of(Patterns.constant(shape, eps))));
    rows.add(control("constant -eps", List.of(Patterns.constant(shape, -eps))));
    List<float[]> pixels = new ArrayList<>();
    List<float[]> blocks = new ArrayList<>();
    for (int p = 0; p < PATTERNS; p++) {
      pixels.add(Patterns.signs(shape, eps, 1, key.fold(p)));
      blocks.add(Patterns.signs(shape, eps, 4, key.fold(p)));
    }
    rows.add(control("random signs", pixels));
    rows.add(control("random signs, 4x4 blocks", blocks));
    return rows;
  }

  private Row control(String name, List<float[]> patterns) {
    return still(name, Kind.CONTROL, "mean over %d".formatted(patterns.size()), patterns, 0);
  }

  /** A perturbation that a tuner made in tasks of training images, in the test tasks. */
  Row transferred(String from, List<float[]> deltas) {
    List<float[]> some = deltas.subList(0, Math.min(PATTERNS, deltas.size()));
    return still(
        "transferred",
        Kind.TRANSFERRED,
        "of %s in %d training tasks".formatted(from, some.size()),
        some,
        0);
  }

  /**
   * One perturbation for the whole source, tuned on many training images of all classes by
   * sign-SGD: UAP by projected gradients (Shafahi et al. 2020).
   */
  Row manyImages(AttackSource source, double rate, Key key) {
    UniversalAttack many = source.many(MANY, key);
    Trial.Ground all = new Trial.Ground(test.device(), many, 0, 1, Gradients.exact(), test.key());
    Trial trial = all.of(Tuner.of(sign(rate)), Tree.empty(), 200);
    return still(
        "UAP, sign steps",
        Kind.TRANSFERRED,
        "200 steps of sign-SGD %s on %d training images (Shafahi et al. 2020)"
            .formatted(rate, many.queries()),
        trial.deltas(),
        200L * many.queries());
  }

  /** One perturbation for the whole source by DeepFool: UAP (Moosavi-Dezfooli et al. 2017). */
  Row deepFool(AttackSource source) {
    List<float[]> images = source.trainingImages(MANY);
    double eps = test.problems().perturbation().eps();
    float[] delta =
        UniversalDeepFool.of(eps)
            .perturbation(
                test.device(),
                test.problems().victim().model(),
                test.problems().victim().weights(),
                images);
    return still(
        "UAP, DeepFool",
        Kind.TRANSFERRED,
        "on %d training images (Moosavi-Dezfooli et al. 2017); queries not counted"
            .formatted(images.size()),
        List.of(delta),
        0);
  }

  private Row still(String name, Kind kind, String note, List<float[]> patterns, long queries) {
    Trial trial = test.of(patterns);
    Point point = trial.point(1, null, queries, pixels());
    return new Row(name, kind, note, List.of(point));
  }

  /** The figures of a tuner without a rate. */
  List<Point> points(Trial trial) {
    return how.at().stream().map(s -> trial.point(s, null, queries(s), pixels())).toList();
  }

  /** Images that the victim answers for one task: with a gradient each, or for estimates. */
  private long queries(int steps) {
    int each = TunerEvaluation.queries(test.problems(), test.gradients());
    return (long) steps * (each == 0 ? test.problems().queries() : each);
  }

  private int pixels() {
    return Math.toIntExact(test.problems().variables().get("delta").shape().size());
  }
}
