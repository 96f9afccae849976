package dev.vauban.bench.gates;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * The gates G1 to G8 of tier S. A gate about accuracies or dimensions is judged by the mean over
 * the seeds that have the recipes it is about, since results of single seeds differ by several
 * points; one about soundness must hold for every result.
 */
final class Rules {
  private static final double MONOTONE_SLACK = 1.0;

  private final List<Map<String, Result>> seeds;
  private final List<Verdict> verdicts = new ArrayList<>();

  private Rules(List<Map<String, Result>> seeds) {
    this.seeds = seeds;
  }

  /** A figure of one seed. */
  private interface Figure extends ToDoubleFunction<Map<String, Result>> {}

  /**
   * Judges.
   *
   * @param seeds for each seed its results by recipe key; a gate whose recipes no seed has fails as
   *     not run
   * @param gradients for G8
   */
  static List<Verdict> judge(List<Map<String, Result>> seeds, GradientCheck gradients) {
    Rules rules = new Rules(seeds);
    rules.cleanAccuracy();
    rules.robustGain();
    rules.cleanCost();
    rules.innerOnly();
    rules.attackSanity();
    rules.dimension();
    rules.moreShots();
    rules.gradients(gradients);
    return rules.verdicts;
  }

  private void cleanAccuracy() {
    clean("maml-32", 78, "82.2");
    clean("maml-64", 87, "89.6");
  }

  private void clean(String key, double least, String reference) {
    Figure figure = r -> r.get(key).cleanPercent();
    atLeast("G1", "clean accuracy of " + key, least, reference, figure, key);
  }

  private void robustGain() {
    gain("aq-32", "maml-32", 16, 25, "+39.4");
    gain("rmaml-out-32", "maml-32", 16, 25, "+39.5");
    gain("aq-32", "maml-32", 8, 15, "+20.8");
    gain("rmaml-out-32", "maml-32", 8, 15, "+21.9");
    gain("aq-64", "maml-64", 16, 25, "+38.1");
    gain("rmaml-out-64", "maml-64", 16, 25, "");
    gain("aq-64", "maml-64", 8, 15, "+24.1");
    gain("rmaml-out-64", "maml-64", 8, 15, "");
  }

  private void gain(String robust, String plain, int radius, double least, String reference) {
    String claim = "robust accuracy at %d/255: %s over %s, points".formatted(radius, robust, plain);
    Figure figure = r -> r.get(robust).robustPercent(radius) - r.get(plain).robustPercent(radius);
    atLeast("G2", claim, least, reference, figure, robust, plain);
  }

  private void cleanCost() {
    cost("rmaml-out-32", "maml-32", -8, "-4.4");
    cost("rmaml-out-64", "maml-64", -3, "");
    cost("aq-64", "maml-64", -3, "+0.1");
  }

  private void cost(String robust, String plain, double least, String reference) {
    String claim = "clean accuracy: %s over %s, points".formatted(robust, plain);
    Figure figure = r -> r.get(robust).cleanPercent() - r.get(plain).cleanPercent();
    atLeast("G3", claim, least, reference, figure, robust, plain);
  }

  private void innerOnly() {
    Figure figure =
        r -> r.get("inner-only-32").robustPercent(16) - r.get("maml-32").robustPercent(16);
    judge(
        "G4",
        "robust accuracy at 16/255: inner-only-32 over maml-32, points, at most 5",
        "-4.9",
        gap -> gap <= 5,
        figure,
        "inner-only-32",
        "maml-32");
  }

  private void attackSanity() {
    double rise = Double.NEGATIVE_INFINITY;
    double atZero = 0;
    double forty = Double.NEGATIVE_INFINITY;
    double ten = Double.NEGATIVE_INFINITY;
    double transfer = Double.NEGATIVE_INFINITY;
    for (Result r : results()) {
      double last = r.cleanPercent();
      for (int radius : Result.RADII) {
        rise = Math.max(rise, r.robustPercent(radius) - last);
        last = r.robustPercent(radius);
      }
      atZero = Math.max(atZero, 100 * r.atZero());
      double pgd = r.otherPercent("pgd-10");
      forty = Math.max(forty, r.otherPercent("pgd-40") - pgd);
      ten = Math.max(ten, pgd - r.otherPercent("fgsm"));
      transfer = Math.max(transfer, pgd - r.otherPercent("transfer"));
    }
    sane("largest rise of robust accuracy with a larger radius, points", rise, 0);
    sane("largest difference of robust accuracy at radius 0 from clean", atZero, 0);
    sane("PGD-40 over PGD-10 accuracy, largest, points", forty, MONOTONE_SLACK);
    sane("PGD-10 over FGSM accuracy, largest, points", ten, MONOTONE_SLACK);
    sane("white-box over transfer accuracy, largest, points", transfer, 0);
  }

  private void sane(String what, double value, double most) {
    String claim = what + ", at most " + number(most);
    verdicts.add(new Verdict("G5", claim, number(value), "", value <= most));
  }

  private void dimension() {
    above("maml-32", "rmaml-out-32", "6", gap -> gap > 0, "above 0");
    above("rmaml-out-32", "aq-32", "2", gap -> gap >= 0, "at least 0");
    above("its-32", "rmaml-out-32", "7", gap -> gap >= 3, "at least 3");
  }

  private void above(
      String high, String low, String reference, Predicate<Double> holds, String bound) {
    String claim = "intrinsic dimension: %s over %s, %s".formatted(high, low, bound);
    Figure figure = r -> r.get(high).id90() - r.get(low).id90();
    judge("G6", claim, reference, holds, figure, high, low);
  }

  /** ITS-MAML: more shots in training than in the test. */
  private void moreShots() {
    String its = "its-32";
    String plain = "rmaml-out-32";
    Figure clean = r -> r.get(its).cleanPercent() - r.get(plain).cleanPercent();
    Figure robust = r -> r.get(its).robustPercent(16) - r.get(plain).robustPercent(16);
    String over = "%s: %s over %s, points";
    String accuracy = over.formatted("clean accuracy", its, plain);
    atLeast("G7", accuracy, -1, "+1.0", clean, its, plain);
    String attacked = over.formatted("robust accuracy at 16/255", its, plain);
    atLeast("G7", attacked, -5, "-2.2", robust, its, plain);
  }

  private void gradients(GradientCheck g) {
    relative("inner gradient", g.inner());
    relative("second-order meta-gradient", g.secondOrder());
    relative("first-order meta-gradient", g.firstOrder());
    double excess = 0;
    double drift = 0;
    int images = 0;
    for (Result r : results()) {
      excess = Math.max(excess, r.excess());
      drift = Math.max(drift, r.cleanDrift());
      images += r.checkedImages();
    }
    String claim = "adversarial pixels outside ball or [0,1], at most 1e-6 (" + images + " images)";
    verdicts.add(new Verdict("G8", claim, scientific(excess), "", images > 0 && excess <= 1e-6));
    String untouched = "support untouched: clean accuracy of no episode changes with the attack";
    verdicts.add(new Verdict("G8", untouched, scientific(drift), "", drift == 0));
  }

  private void relative(String what, double error) {
    String claim = what + " against finite differences: relative error below 1e-4";
    verdicts.add(new Verdict("G8", claim, scientific(error), "", error < 1e-4));
  }

  private List<Result> results() {
    return seeds.stream().flatMap(s -> s.values().stream()).toList();
  }

  private void atLeast(
      String gate, String what, double bound, String reference, Figure figure, String... keys) {
    String claim = what + ", at least " + number(bound);
    judge(gate, claim, reference, value -> value >= bound, figure, keys);
  }

  /** Judges the mean over the seeds that have all of these recipes. */
  private void judge(
      String gate,
      String claim,
      String reference,
      Predicate<Double> holds,
      Figure figure,
      String... keys) {
    double[] values =
        seeds.stream()
            .filter(results -> results.keySet().containsAll(List.of(keys)))
            .mapToDouble(figure)
            .toArray();
    if (values.length == 0) {
      verdicts.add(new Verdict(gate, claim, "not run", reference, false));
      return;
    }
    double mean = Arrays.stream(values).average().orElseThrow();
    String each = Arrays.stream(values).mapToObj(Rules::number).collect(Collectors.joining(", "));
    String measured = values.length == 1 ? each : number(mean) + " (" + each + ")";
    verdicts.add(new Verdict(gate, claim, measured, reference, holds.test(mean)));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value + 0.0);
  }

  private static String scientific(double value) {
    return value == 0 ? "0" : String.format(Locale.ROOT, "%.1e", value);
  }
}
