package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every attack: counts, budgets, balls, and independence of company and order. */
class CampaignTest {
  private static final Shape IMAGE = Shape.of(14, 12, 1);
  private static final int N = 8;

  private static LinearOracle oracle(Oracle.Reply reply) {
    return new LinearOracle(IMAGE, reply, Key.of(3));
  }

  /** Images from near the plane to far from it, on both sides. */
  private static double distance(int i) {
    return (0.02 + 0.1 * i) * (i % 2 == 0 ? 1 : -1);
  }

  private static float[][] images(LinearOracle oracle) {
    return IntStream.range(0, N)
        .mapToObj(i -> oracle.imageAt(distance(i), Key.of(100 + i)))
        .toArray(float[][]::new);
  }

  private static int[] labels() {
    return IntStream.range(0, N).map(i -> LinearOracle.label(distance(i))).toArray();
  }

  record Case(BlackBoxAttack attack, Metric metric) {}

  static Stream<Case> cases() {
    return BlackBoxAttacks.all().stream()
        .flatMap(a -> a.metrics().stream().sorted().map(m -> new Case(a, m)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyQueryIsCountedWithinBudgetBallAndBox(Case c) {
    LinearOracle oracle = oracle(c.attack.needs());
    int budget = 397; // no multiple of any attack's round
    Threat threat = new Threat(c.metric, 1.5 * oracle.exact(c.metric, 0.3));
    MeteredOracle metered = new MeteredOracle(oracle, Limits.NONE);
    QueryResult result =
        new Campaign(c.attack, threat, budget)
            .run(metered, images(oracle), labels(), Key.of(9), (done, sent) -> {});
    assertThat(result.sent()).isEqualTo(oracle.asked.size()).isEqualTo(metered.meter().sent());
    assertThat(result.ended()).isEmpty();
    assertThat(result.attacked()).hasSize(N);
    assertThat(result.successCount()).as("the nearest is easy").isPositive();
    for (float[] asked : oracle.asked) {
      for (float value : asked) {
        assertThat(value).isBetween(0f, 1f);
      }
    }
    float[][] images = images(oracle);
    for (Outcome outcome : result.outcomes()) {
      assertThat(outcome.queries()).isLessThanOrEqualTo(budget);
      if (outcome.status() == Outcome.Status.SUCCESS) {
        double far = c.metric.distance(outcome.adversarial(), images[outcome.number()]);
        assertThat(far).isLessThanOrEqualTo(threat.eps() + 1e-6).isEqualTo(outcome.distance());
        assertThat(oracle.ask(new float[][] {outcome.adversarial()}).labels()[0])
            .isNotEqualTo(outcome.label());
        // Nothing beats the exact worst case of the ball.
        assertThat(oracle.exact(c.metric, distance(outcome.number())))
            .isLessThanOrEqualTo(threat.eps() + 1e-6);
      }
      List<Outcome.Point> trace = outcome.trace();
      for (int t = 1; t < trace.size(); t++) {
        assertThat(trace.get(t).distance()).isLessThan(trace.get(t - 1).distance());
        assertThat(trace.get(t).query()).isGreaterThan(trace.get(t - 1).query());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void anImageFaresTheSameInAnyCompanyAndSeedsRepeat(Case c) {
    LinearOracle oracle = oracle(c.attack.needs());
    Threat threat = new Threat(c.metric, 1.2 * oracle.exact(c.metric, 0.3));
    QueryResult all =
        new Campaign(c.attack, threat, 300).run(oracle, images(oracle), labels(), Key.of(9));
    QueryResult pairs =
        new Campaign(c.attack, threat, 300, 2).run(oracle, images(oracle), labels(), Key.of(9));
    QueryResult other =
        new Campaign(c.attack, threat, 300).run(oracle, images(oracle), labels(), Key.of(10));
    boolean differs = false;
    for (int i = 0; i < N; i++) {
      assertThat(pairs.outcomes().get(i))
          .usingRecursiveComparison()
          .isEqualTo(all.outcomes().get(i));
      differs |=
          !Arrays.equals(
              all.outcomes().get(i).adversarial(), other.outcomes().get(i).adversarial());
    }
    assertThat(differs).isTrue();
  }

  @Test
  void ledgersAreTheirClosedForms() {
    // Never fooled: every attack goes on to the end of its budget in whole rounds.
    assertThat(spent(new Square(), 500)).isEqualTo(500);
    assertThat(rounds(new Nes(), 2 * 25 + 1)).isTrue();
    assertThat(rounds(new Spsa(), 2 * 128 + 1)).isTrue();
    assertThat(rounds(new Zoo(new Estimator.Pixels(40, 1e-3), 0.5), 2 * 40 + 1)).isTrue();
    assertThat(rounds(new ZoSignSgd(), 30 + 1)).isTrue();
    assertThat(rounds(new Bandits(), 2 + 1)).isTrue();
  }

  private static int spent(BlackBoxAttack attack, int budget) {
    LinearOracle oracle = oracle(Oracle.Reply.SCORES);
    float[][] far = {oracle.imageAt(3, Key.of(1))};
    QueryResult result =
        new Campaign(attack, Threat.linf(0.01), budget).run(oracle, far, new int[1], Key.of(1));
    assertThat(result.outcomes().get(0).status()).isEqualTo(Outcome.Status.SURVIVED);
    assertThat(oracle.asked).hasSize(budget + 1); // and the clean image
    return result.outcomes().get(0).queries();
  }

  /** Whether calls come in rounds of one estimate and one image: the last images tell. */
  private static boolean rounds(BlackBoxAttack attack, int round) {
    LinearOracle oracle = oracle(Oracle.Reply.SCORES);
    float[][] far = {oracle.imageAt(3, Key.of(1))};
    int first = attack instanceof ZoSignSgd ? 1 : 0;
    new Campaign(attack, Threat.linf(0.01), first + 3 * round)
        .run(oracle, far, new int[1], Key.of(1));
    return oracle.asked.size() == 1 + first + 3 * round && oracle.calls == 1 + first + 3 * 2;
  }

  @Test
  void onlyRightlyAnsweredImagesAreAttackedAndOnlyThoseStillRunningAsk() {
    LinearOracle oracle = oracle(Oracle.Reply.SCORES);
    int[] labels = labels();
    labels[2] = 1 - labels[2];
    QueryResult result =
        new Campaign(new Square(), Threat.linf(0.5), 100)
            .run(oracle, images(oracle), labels, Key.of(1));
    assertThat(result.outcomes().get(2).status()).isEqualTo(Outcome.Status.WRONG_ANYWAY);
    assertThat(result.attacked()).hasSize(N - 1);
    int counted = result.outcomes().stream().mapToInt(Outcome::queries).sum();
    // Square asks one by one: what was sent is the clean pass and each image's own queries.
    assertThat(result.sent()).isEqualTo(N + counted);
    assertThat(result.successRate()).isEqualTo((double) result.successCount() / (N - 1));
  }

  @Test
  void figuresFollowTheirDefinitions() {
    List<Outcome> outcomes =
        List.of(
            outcome(0, Outcome.Status.SUCCESS, 10),
            outcome(1, Outcome.Status.SUCCESS, 30),
            outcome(2, Outcome.Status.SURVIVED, 100),
            outcome(3, Outcome.Status.WRONG_ANYWAY, 0));
    QueryResult result = new QueryResult("square", Threat.linf(0.1), 100, outcomes, 144, "");
    assertThat(result.successRate()).isEqualTo(2 / 3.0);
    assertThat(result.successRate(10)).isEqualTo(1 / 3.0);
    assertThat(result.successRate(9)).isZero();
    assertThat(result.meanQueries()).isEqualTo(20);
    assertThat(result.medianQueries()).isEqualTo(20);
    assertThat(result.meanQueriesWithFailures()).isEqualTo(140 / 3.0);
  }

  private static Outcome outcome(int number, Outcome.Status status, int queries) {
    return new Outcome(number, 0, status, queries, null, -1, Double.POSITIVE_INFINITY, List.of());
  }

  @Test
  void aFailingOracleOrAReachedCapKeepsWhatWasFound() {
    LinearOracle inner = oracle(Oracle.Reply.SCORES);
    MeteredOracle capped = new MeteredOracle(inner, Limits.NONE.withCap(700));
    Threat threat = Threat.linf(1.5 * inner.exact(Metric.LINF, 0.3));
    QueryResult result =
        new Campaign(new Square(), threat, 500)
            .run(capped, images(inner), labels(), Key.of(9), (done, sent) -> {});
    assertThat(inner.asked.size()).isLessThanOrEqualTo(700);
    assertThat(result.ended()).startsWith("the cap of 700 queries is reached");
    assertThat(result.successCount()).isPositive();
    assertThat(result.outcomes())
        .anySatisfy(o -> assertThat(o.status()).isEqualTo(Outcome.Status.CUT_SHORT));
    MeteredOracle tiny = new MeteredOracle(inner, Limits.NONE.withCap(3));
    QueryResult nothing =
        new Campaign(new Square(), threat, 500)
            .run(tiny, images(inner), labels(), Key.of(9), (done, sent) -> {});
    assertThat(nothing.outcomes())
        .allSatisfy(o -> assertThat(o.status()).isEqualTo(Outcome.Status.NOT_ASKED));
    assertThat(nothing.successRate()).isNaN();
  }

  /** A round of many calls that ends in its middle. */
  @Test
  void whoWasAnsweredBeforeTheEndIsFooledAllTheSame() {
    LinearOracle inner = oracle(Oracle.Reply.LABELS);
    inner.largestBatch = 1;
    BlackBoxAttack mirror =
        new BlackBoxAttack() {
          @Override
          public String name() {
            return "mirror";
          }

          @Override
          public Oracle.Reply needs() {
            return Oracle.Reply.LABELS;
          }

          @Override
          public void attack(Target target, Key key) {
            float[] x = target.image();
            for (int i = 0; i < x.length; i++) {
              x[i] = 1 - x[i];
            }
            target.fooled(x);
          }
        };
    int answered = 3;
    QueryMeter meter =
        new QueryMeter(
            Limits.NONE,
            () -> {
              if (inner.calls == N + answered) {
                throw new OracleException(OracleException.Kind.LASTING, "enough");
              }
            });
    QueryResult result =
        new Campaign(mirror, Threat.linf(1), 10)
            .run(
                new MeteredOracle(inner, meter),
                images(inner),
                labels(),
                Key.of(1),
                (done, sent) -> {});
    assertThat(result.ended()).isEqualTo("enough");
    assertThat(result.sent()).isEqualTo(N + answered);
    for (int i = 0; i < N; i++) {
      assertThat(result.outcomes().get(i).status())
          .isEqualTo(i < answered ? Outcome.Status.SUCCESS : Outcome.Status.CUT_SHORT);
    }
  }

  @Test
  void aMistakeOfAnAttackOrACallerIsAnException() {
    LinearOracle oracle = oracle(Oracle.Reply.SCORES);
    BlackBoxAttack broken =
        new BlackBoxAttack() {
          @Override
          public String name() {
            return "broken";
          }

          @Override
          public Oracle.Reply needs() {
            return Oracle.Reply.LABELS;
          }

          @Override
          public void attack(Target target, Key key) {
            float[] x = target.image();
            target.fooled(x);
            x[0] = 1.5f;
            target.fooled(x);
          }
        };
    assertThatThrownBy(() ->
            new Campaign(broken, Threat.linf(0.1), 10)
                .run(oracle, images(oracle), labels(), Key.of(1)))
        .hasMessage("a pixel is 1.5, outside [0,1]");
    assertThatThrownBy(() -> new Campaign(new Boundary(), Threat.linf(0.1), 10))
        .hasMessage("boundary works in L2, not in Linf");
    LinearOracle shy = oracle(Oracle.Reply.LABELS);
    assertThatThrownBy(() ->
            new Campaign(new Nes(), Threat.linf(0.1), 10)
                .run(shy, images(shy), labels(), Key.of(1)))
        .hasMessage("nes needs scores, but the oracle gives labels alone");
    assertThatThrownBy(() -> BlackBoxAttacks.named("sqare")).hasMessageContaining("square");
    float[][] small = {new float[5]};
    assertThatThrownBy(() ->
            new Campaign(new Nes(), Threat.linf(0.1), 10).run(oracle, small, new int[1], Key.of(1)))
        .hasMessageContaining("image 0 has 5 values");
    assertThat(BlackBoxAttacks.names()).doesNotHaveDuplicates();
  }
}
