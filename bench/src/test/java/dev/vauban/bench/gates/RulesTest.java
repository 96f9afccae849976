package dev.vauban.bench.gates;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.bench.Machine;
import dev.vauban.bench.gates.Result.Score;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RulesTest {
  private static final GradientCheck GOOD = new GradientCheck(1e-9, 1e-9, 1e-9, 0.2);

  @Test
  void theReferenceFiguresPass() {
    assertThat(failing(results(), GOOD)).isEmpty();
  }

  @Test
  void eachGateFailsOnItsOwnFault() {
    assertThat(failing(changed("maml-32", r -> clean(r, 0.77)), GOOD)).contains("G1");
    assertThat(failing(changed("aq-64", r -> robust(r, 16, 0.5)), GOOD)).contains("G2");
    assertThat(failing(changed("rmaml-out-32", r -> clean(r, 0.74)), GOOD)).contains("G3");
    assertThat(failing(changed("inner-only-32", r -> robust(r, 16, 0.3)), GOOD)).contains("G4");
    assertThat(failing(changed("its-32", r -> robust(r, 32, 0.9)), GOOD)).contains("G5");
    assertThat(failing(changed("aq-32", r -> dimension(r, 30)), GOOD)).contains("G6");
    assertThat(failing(changed("its-32", r -> clean(r, 0.70)), GOOD)).contains("G7");
    assertThat(failing(changed("its-32", r -> robust(r, 16, 0.4)), GOOD)).contains("G7");
    assertThat(failing(changed("maml-64", r -> excess(r, 1e-5)), GOOD)).containsExactly("G8");
    GradientCheck wrong = new GradientCheck(1e-9, 1e-2, 1e-9, 0.2);
    assertThat(failing(results(), wrong)).containsExactly("G8");
  }

  @Test
  void seedsAreAveragedAndMissingRecipesFail() {
    Map<String, Result> low = changed("maml-32", r -> clean(r, 0.77));
    Map<String, Result> high = changed("maml-32", r -> clean(r, 0.80));
    Verdict both = Rules.judge(List.of(low, high), GOOD).getFirst();
    assertThat(both.pass()).isTrue();
    assertThat(both.measured()).isEqualTo("78.5 (77.0, 80.0)");
    Map<String, Result> without = results();
    without.remove("aq-64");
    assertThat(failing(without, GOOD)).containsExactlyInAnyOrder("G2", "G3");
  }

  @Test
  void theReportShowsEveryRecipeAndTheReference() {
    Map<String, Result> results = results();
    GatesReport report =
        new GatesReport(
            "cpu",
            "omniglot",
            "./vauban gates",
            GOOD,
            Rules.judge(List.of(results), GOOD),
            List.of(new GatesReport.Seed(0, List.copyOf(results.values()))));
    assertThat(report.pass()).isTrue();
    assertThat(report.markdown()).contains("| MAML | 64 x 1500 its | 89.6 ± 1.0 |", "| PASS |");
    assertThat(report.text(100)).contains("all gates pass");
  }

  @Test
  void gradientsAgreeWithDifferences() {
    GradientCheck check = GradientCheck.run();
    assertThat(check.inner()).isLessThan(1e-6);
    assertThat(check.secondOrder()).isLessThan(1e-6);
    assertThat(check.firstOrder()).isLessThan(1e-6);
    assertThat(check.orders()).isGreaterThan(1e-2);
  }

  private static Set<String> failing(Map<String, Result> results, GradientCheck gradients) {
    return Rules.judge(List.of(results), gradients).stream()
        .filter(v -> !v.pass())
        .map(Verdict::gate)
        .collect(Collectors.toSet());
  }

  /** The reference's own figures; where it has none, what the gates expect. */
  private static Map<String, Result> results() {
    Map<String, Result> results = new LinkedHashMap<>();
    for (Recipe recipe : Recipe.all()) {
      Recipe.Reference ref = recipe.reference();
      double clean = ref == null ? 89 : ref.clean();
      double r8 = ref == null ? 84 : ref.robust().get(1);
      double r16 = ref == null ? 77 : ref.robust().get(2);
      int id = ref == null || Double.isNaN(ref.id90()) ? 25 : (int) ref.id90();
      results.put(recipe.key(), result(recipe, clean / 100, r8 / 100, r16 / 100, id));
    }
    return results;
  }

  private static Result result(Recipe recipe, double clean, double r8, double r16, int id) {
    Map<String, Score> robust = new LinkedHashMap<>();
    robust.put("4", score((clean + r8) / 2));
    robust.put("8", score(r8));
    robust.put("16", score(r16));
    robust.put("32", score(r16 / 2));
    Map<String, Score> other = new LinkedHashMap<>();
    other.put("fgsm", score(r16 + 0.05));
    other.put("pgd-10", score(r16));
    other.put("pgd-40", score(r16));
    other.put("transfer", score(clean));
    return new Result(
        recipe.key(),
        0,
        recipe.iterations(),
        recipe.episodes(),
        1,
        1,
        clean,
        0.01,
        robust,
        40,
        other,
        0,
        id,
        id,
        6e-8,
        600,
        0,
        new Machine("2026-11-21", "host", "jdk", "commit"));
  }

  private static Score score(double mean) {
    return new Score(mean, 0.01);
  }

  private static Map<String, Result> changed(String key, UnaryOperator<Result> change) {
    Map<String, Result> results = results();
    results.computeIfPresent(key, (k, r) -> change.apply(r));
    return results;
  }

  private static Result clean(Result r, double value) {
    return copy(r, value, r.robust(), r.id90(), r.excess());
  }

  private static Result robust(Result r, int radius, double value) {
    Map<String, Score> robust = new LinkedHashMap<>(r.robust());
    robust.put(Integer.toString(radius), score(value));
    return copy(r, r.clean(), robust, r.id90(), r.excess());
  }

  private static Result dimension(Result r, int id) {
    return copy(r, r.clean(), r.robust(), id, r.excess());
  }

  private static Result excess(Result r, double value) {
    return copy(r, r.clean(), r.robust(), r.id90(), value);
  }

  private static Result copy(
      Result r, double clean, Map<String, Score> robust, int id, double excess) {
    return new Result(
        r.recipe(),
        r.seed(),
        r.iterations(),
        r.episodes(),
        r.trainSeconds(),
        r.evalSeconds(),
        clean,
        r.cleanHalf(),
        robust,
        r.few(),
        r.other(),
        r.atZero(),
        id,
        r.effectiveRank(),
        excess,
        r.checkedImages(),
        r.cleanDrift(),
        r.machine());
  }
}
