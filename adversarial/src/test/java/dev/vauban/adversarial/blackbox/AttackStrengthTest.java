package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How far attacks come on a linear classifier of 28x28 images, whose optimum is known. The limits
 * of the decision-based ones are what implementations after the released codes reached.
 */
class AttackStrengthTest {
  private static final Shape IMAGE = Shape.of(28, 28, 1);

  @ParameterizedTest
  @CsvSource({
    "hop-skip-jump, 5000, 1.2",
    "sign-opt, 5000, 1.15",
    "sign-opt, 10000, 1.02",
    "boundary, 10000, 1.15",
    "boundary, 20000, 1.01"
  })
  void labelsAloneLeadToTheNearestPoint(String name, int budget, double limit) {
    LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.LABELS, Key.of(1));
    double[] distances = {1, -0.4};
    float[][] images = {oracle.imageAt(1, Key.of(2)), oracle.imageAt(-0.4, Key.of(3))};
    QueryResult result =
        new Campaign(BlackBoxAttacks.named(name), Threat.l2(0), budget)
            .run(oracle, images, new int[] {0, 1}, Key.of(7));
    for (Outcome outcome : result.outcomes()) {
      double exact = Math.abs(distances[outcome.number()]);
      assertThat(outcome.distance() / exact).isBetween(1 - 1e-5, limit);
    }
  }

  @Test
  void hopSkipJumpComesNearInLinf() {
    LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.LABELS, Key.of(1));
    float[][] images = {oracle.imageAt(1, Key.of(2))};
    QueryResult result =
        new Campaign(new HopSkipJump(), Threat.linf(0), 5000)
            .run(oracle, images, new int[1], Key.of(7));
    assertThat(result.outcomes().get(0).distance() / oracle.exact(Metric.LINF, 1))
        .isBetween(1 - 1e-5, 2.5);
  }

  /** The best margin that Square reaches in a ball from which there is no way out. */
  @Test
  void squareReachesFgsmsOptimumAndNeverMore() {
    LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.SCORES, Key.of(1));
    float[][] images = {oracle.imageAt(4, Key.of(2))};
    double eps = 0.5 * oracle.exact(Metric.LINF, 4);
    double start = oracle.value(images[0]);
    new Campaign(new Square(), Threat.linf(eps), 10_000).run(oracle, images, new int[1], Key.of(7));
    double best = oracle.asked.stream().mapToDouble(oracle::value).min().orElseThrow();
    double lowered = (start - best) / (start / 2); // FGSM halves the margin
    assertThat(lowered).isBetween(0.95, 1 + 1e-5);
  }

  @Test
  void squareInL2StaysOnTheSphereAndLowersTheMargin() {
    LinearOracle oracle = new LinearOracle(Shape.of(12, 12, 3), Oracle.Reply.SCORES, Key.of(1));
    float[][] images = {oracle.imageAt(1, Key.of(2))};
    QueryResult result =
        new Campaign(new Square(), Threat.l2(0.5), 2000).run(oracle, images, new int[1], Key.of(7));
    assertThat(result.outcomes().get(0).status()).isEqualTo(Outcome.Status.SURVIVED);
    double start = oracle.value(images[0]);
    double best = start;
    double first = Double.NaN;
    for (float[] asked : oracle.asked.subList(1, oracle.asked.size())) {
      assertThat(Metric.L2.distance(asked, images[0])).isCloseTo(0.5, within(1e-5));
      best = Math.min(best, oracle.value(asked));
      first = Double.isNaN(first) ? oracle.value(asked) : first;
    }
    // Half the margin is the most; windows of smooth bumps see only part of a rough gradient.
    assertThat(start - best).isLessThanOrEqualTo(start / 2 * (1 + 1e-5));
    assertThat(start - best).isGreaterThan(Math.max(0, start - first) + 0.15 * start);
  }

  @ParameterizedTest
  @CsvSource({"PIXELS", "WAVES"})
  void simbasChangeHasTheLengthOfItsSteps(SimBa.Basis basis) {
    LinearOracle oracle = new LinearOracle(Shape.of(8, 7, 2), Oracle.Reply.SCORES, Key.of(1));
    float[][] images = {oracle.imageAt(0.6, Key.of(2))};
    double step = 0.02;
    new Campaign(new SimBa(basis, step), Threat.l2(100), 1 + 2 * 112)
        .run(oracle, images, new int[1], Key.of(7));
    // Of a linear function every direction helps one way or the other.
    double lowest = oracle.value(images[0]);
    int steps = 0;
    for (float[] asked : oracle.asked.subList(2, oracle.asked.size())) {
      if (steps < 112 && oracle.value(asked) < lowest) {
        lowest = oracle.value(asked);
        steps++;
        assertThat(Metric.L2.distance(asked, images[0]))
            .isCloseTo(step * Math.sqrt(steps), within(1e-5));
      }
    }
    assertThat(steps).isEqualTo(112);
  }

  /** Estimates with 25 pairs at a time walk to a plane 1.5 optima away, signs or not. */
  @ParameterizedTest
  @CsvSource({
    "nes, LINF",
    "nes, L2",
    "spsa, LINF",
    "spsa, L2",
    "zoo, LINF",
    "zoo, L2",
    "simba, LINF"
  })
  void scoresLeadThroughThePlane(String name, Metric metric) {
    LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.SCORES, Key.of(1));
    float[][] images = {oracle.imageAt(1, Key.of(2)), oracle.imageAt(-1, Key.of(3))};
    Threat threat = new Threat(metric, 1.6 * oracle.exact(metric, 1));
    QueryResult result =
        new Campaign(BlackBoxAttacks.named(name), threat, 6000)
            .run(oracle, images, new int[] {0, 1}, Key.of(7));
    assertThat(result.successCount()).isEqualTo(2);
    assertThat(result.medianQueries()).isLessThan(6000);
  }

  @Test
  void banditsLearnASmoothGradient() {
    LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.SCORES, Key.of(1));
    for (int i = 0; i < 784; i++) { // four quarters, which tiles can tell
      oracle.a[i] = (i / 28 < 14) == (i % 28 < 14) ? 1 : -1;
    }
    float[][] images = {oracle.imageAt(1, Key.of(2))};
    Threat threat = Threat.linf(2 * oracle.exact(Metric.LINF, 1));
    QueryResult result =
        new Campaign(new Bandits(), threat, 5000).run(oracle, images, new int[1], Key.of(7));
    assertThat(result.successCount()).isEqualTo(1);
    assertThat(Arrays.stream(oracle.a).map(Math::abs).sum()).isEqualTo(784);
  }
}
