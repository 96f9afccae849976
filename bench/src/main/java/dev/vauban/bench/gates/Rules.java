package dev.vauban.bench.gates;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The gates G1 to G6 and G8 of tier S: what must hold of one seed's results. */
final class Rules {
  private static final double MONOTONE_SLACK = 1.0;

  private final Map<String, Result> results;
  private final List<Verdict> verdicts = new ArrayList<>();

  private Rules(Map<String, Result> results) {
    this.results = results;
  }

  /**
   * Judges.
   *
   * @param results by recipe key, all of one seed; gates about a missing recipe fail as not run
   * @param gradients for G8
   */
  static List<Verdict> judge(Map<String, Result> results, GradientCheck gradients) {
    Rules rules = new Rules(results);
    rules.cleanAccuracy();
    rules.robustGain();
    rules.cleanCost();
    rules.innerOnly();
    rules.attackSanity();
    rules.dimension();
    rules.gradients(gradients);
    return rules.verdicts;
  }

  private Result of(String key) {
    return results.get(key);
  }

  /** Whether all of these were measured; if not, the gate is recorded as not run. */
  private boolean measured(String gate, String claim, String... keys) {
    for (String key : keys) {
      if (!results.containsKey(key)) {
        verdicts.add(new Verdict(gate, claim, key + " not run", "", false));
        return false;
      }
    }
    return true;
  }

  private void cleanAccuracy() {
    clean("maml-32", 78, "82.2");
    clean("maml-64", 87, "89.6");
  }

  private void clean(String key, double least, String reference) {
    String claim = "clean accuracy of " + key;
    if (measured("G1", claim, key)) {
      atLeast("G1", claim, of(key).cleanPercent(), least, reference);
    }
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
    if (measured("G2", claim, robust, plain)) {
      double gain = of(robust).robustPercent(radius) - of(plain).robustPercent(radius);
      atLeast("G2", claim, gain, least, reference);
    }
  }

  private void cleanCost() {
    cost("rmaml-out-32", "maml-32", -8, "-4.4");
    cost("rmaml-out-64", "maml-64", -3, "");
    cost("aq-64", "maml-64", -3, "+0.1");
  }

  private void cost(String robust, String plain, double least, String reference) {
    String claim = "clean accuracy: %s over %s, points".formatted(robust, plain);
    if (measured("G3", claim, robust, plain)) {
      double gap = of(robust).cleanPercent() - of(plain).cleanPercent();
      atLeast("G3", claim, gap, least, reference);
    }
  }

  private void innerOnly() {
    String claim = "robust accuracy at 16/255: inner-only-32 over maml-32, points";
    if (measured("G4", claim, "inner-only-32", "maml-32")) {
      double gap = of("inner-only-32").robustPercent(16) - of("maml-32").robustPercent(16);
      atMost("G4", claim, gap, 5, "-4.9");
    }
  }

  private void attackSanity() {
    double rise = Double.NEGATIVE_INFINITY;
    double atZero = 0;
    double forty = Double.NEGATIVE_INFINITY;
    double ten = Double.NEGATIVE_INFINITY;
    double transfer = Double.NEGATIVE_INFINITY;
    for (Result r : results.values()) {
      for (int i = 1; i < Result.RADII.size(); i++) {
        double step =
            r.robustPercent(Result.RADII.get(i)) - r.robustPercent(Result.RADII.get(i - 1));
        rise = Math.max(rise, step);
      }
      rise = Math.max(rise, r.robustPercent(Result.RADII.getFirst()) - r.cleanPercent());
      atZero = Math.max(atZero, 100 * r.atZero());
      double pgd = r.otherPercent("pgd-10");
      forty = Math.max(forty, r.otherPercent("pgd-40") - pgd);
      ten = Math.max(ten, pgd - r.otherPercent("fgsm"));
      transfer = Math.max(transfer, pgd - r.otherPercent("transfer"));
    }
    atMost("G5", "largest rise of robust accuracy with a larger radius, points", rise, 0, "");
    atMost("G5", "largest difference of robust accuracy at radius 0 from clean", atZero, 0, "");
    atMost("G5", "PGD-40 over PGD-10 accuracy, largest, points", forty, MONOTONE_SLACK, "");
    atMost("G5", "PGD-10 over FGSM accuracy, largest, points", ten, MONOTONE_SLACK, "");
    atMost("G5", "white-box over transfer accuracy, largest, points", transfer, 0, "");
  }

  private void dimension() {
    String claim = "intrinsic dimension of features";
    if (!measured("G6", claim, "maml-32", "rmaml-out-32", "aq-32", "its-32")) {
      return;
    }
    int maml = of("maml-32").id90();
    int out = of("rmaml-out-32").id90();
    int aq = of("aq-32").id90();
    int its = of("its-32").id90();
    verdicts.add(
        new Verdict(
            "G6",
            "intrinsic dimension: MAML > R-MAML_out >= AQ",
            maml + ", " + out + ", " + aq,
            "29, 23, 21",
            maml > out && out >= aq));
    atLeast("G6", "intrinsic dimension: ITS over R-MAML_out", its - out, 3, "7");
  }

  private void gradients(GradientCheck g) {
    verdicts.add(relative("inner gradient", g.inner()));
    verdicts.add(relative("second-order meta-gradient", g.secondOrder()));
    verdicts.add(relative("first-order meta-gradient", g.firstOrder()));
    double excess = results.values().stream().mapToDouble(Result::excess).max().orElseThrow();
    int images = results.values().stream().mapToInt(Result::checkedImages).sum();
    verdicts.add(
        new Verdict(
            "G8",
            "adversarial pixels outside ball or [0,1], at most 1e-6 (" + images + " images)",
            scientific(Math.max(0, excess)),
            "",
            excess <= 1e-6));
    double drift = results.values().stream().mapToDouble(Result::cleanDrift).max().orElseThrow();
    verdicts.add(
        new Verdict(
            "G8",
            "support untouched: clean accuracy of no episode changes with the attack",
            scientific(drift),
            "",
            drift == 0));
  }

  private static Verdict relative(String what, double error) {
    return new Verdict(
        "G8",
        what + " against finite differences: relative error below 1e-4",
        scientific(error),
        "",
        error < 1e-4);
  }

  private void atLeast(String gate, String what, double value, double bound, String reference) {
    String claim = what + " >= " + number(bound);
    verdicts.add(new Verdict(gate, claim, number(value), reference, value >= bound - 1e-9));
  }

  private void atMost(String gate, String what, double value, double bound, String reference) {
    String claim = what + " <= " + number(bound);
    verdicts.add(new Verdict(gate, claim, number(value), reference, value <= bound + 1e-9));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value + 0.0);
  }

  private static String scientific(double value) {
    return value == 0 ? "0" : String.format(Locale.ROOT, "%.1e", value);
  }
}
