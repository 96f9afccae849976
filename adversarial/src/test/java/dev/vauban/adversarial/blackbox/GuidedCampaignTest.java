package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Candidates first: what they cost, what they are told, and where attacks begin. */
class GuidedCampaignTest {
  private static final Shape IMAGE = Shape.of(14, 12, 1);
  private static final int N = 7;
  private final LinearOracle oracle = new LinearOracle(IMAGE, Oracle.Reply.SCORES, Key.of(3));

  private static double distance(int i) {
    return (0.05 + 0.1 * i) * (i % 2 == 0 ? 1 : -1);
  }

  private float[][] images() {
    return IntStream.range(0, N)
        .mapToObj(i -> oracle.imageAt(distance(i), Key.of(100 + i)))
        .toArray(float[][]::new);
  }

  private static int[] labels() {
    return IntStream.range(0, N).map(i -> LinearOracle.label(distance(i))).toArray();
  }

  /** Knows the plane: moves each image by {@code steps[round]} straight towards it. */
  private final class Knowing implements Guide {
    final List<String> diary = new ArrayList<>();
    final double[] steps;

    Knowing(double... steps) {
      this.steps = steps;
    }

    @Override
    public String name() {
      return "knowing";
    }

    @Override
    public int together() {
      return 3;
    }

    @Override
    public float[][] propose(float[][] images, int[] labels, int round, Key[] keys) {
      diary.add("propose " + images.length + " in round " + round);
      return IntStream.range(0, images.length)
          .mapToObj(i ->
              Vectors.moved(
                  images[i],
                  (labels[i] == 0 ? -1 : 1) * steps[round],
                  Metric.LINF.steepest(oracle.a.clone())))
          .toArray(float[][]::new);
    }

    @Override
    public void learn(float[][] images, Answers answers) {
      assertThat(answers).usingRecursiveComparison().isEqualTo(answersOf(images));
      diary.add("learn " + images.length);
    }

    @Override
    public void close() {}
  }

  private Answers answersOf(float[][] images) {
    return Answers.ofScores(
        Arrays.stream(images)
            .map(x -> new double[] {oracle.value(x) / 2, -oracle.value(x) / 2})
            .toArray(double[][]::new));
  }

  private QueryResult run(
      Guide guide, int proposals, BlackBoxAttack attack, double eps, int budget) {
    return new GuidedCampaign(guide, proposals, new Campaign(attack, Threat.linf(eps), budget))
        .run(new MeteredOracle(oracle, Limits.NONE), images(), labels(), Key.of(9), (d, s) -> {});
  }

  @Test
  void aGuideThatKnowsFoolsWithTheFirstQueryWhateverIsInReach() {
    double eps = oracle.exact(Metric.LINF, 0.4); // images 0 to 3 are nearer, 4 to 6 are not
    QueryResult result = run(new Knowing(1), 1, new Square(), eps, 50);
    assertThat(result.attack()).isEqualTo("knowing+square");
    assertThat(result.successRate(1)).isEqualTo(4.0 / N);
    for (Outcome o : result.outcomes()) {
      boolean near = Math.abs(distance(o.number())) < 0.4;
      assertThat(o.status()).isEqualTo(near ? Outcome.Status.SUCCESS : Outcome.Status.SURVIVED);
      assertThat(o.queries()).isEqualTo(near ? 1 : 50);
      if (near) {
        // A step of 1 was far outside: it was moved into the ball.
        assertThat(o.distance()).isLessThanOrEqualTo(eps + 1e-6).isGreaterThan(0.99 * eps);
        assertThat(o.answer()).isEqualTo(1 - o.label());
        assertThat(o.trace()).containsExactly(new Outcome.Point(1, o.distance()));
      }
    }
    int counted = result.outcomes().stream().mapToInt(Outcome::queries).sum();
    assertThat(result.sent()).isEqualTo(N + counted).isEqualTo(oracle.asked.size());
  }

  @Test
  void groupsComeInOrderAndHearOfTheirOwnImagesAlone() {
    Knowing guide = new Knowing(1e-4, 2e-4);
    run(guide, 2, new Square(), oracle.exact(Metric.LINF, 0.1), 10);
    assertThat(guide.diary)
        .containsExactly(
            "learn 3",
            "propose 3 in round 0",
            "learn 3",
            "propose 3 in round 1",
            "learn 3",
            "learn 3",
            "propose 3 in round 0",
            "learn 3",
            "propose 3 in round 1",
            "learn 3",
            "learn 1",
            "propose 1 in round 0",
            "learn 1",
            "propose 1 in round 1",
            "learn 1");
  }

  @Test
  void imagesThatAreFooledOrWereWrongAreProposedForNoMore() {
    Knowing guide = new Knowing(oracle.exact(Metric.LINF, 0.2), 1);
    int[] labels = labels();
    labels[6] = 1 - labels[6];
    QueryResult result =
        new GuidedCampaign(guide, 2, new Campaign(new Square(), Threat.linf(0.5), 10))
            .run(new MeteredOracle(oracle, Limits.NONE), images(), labels, Key.of(9), (d, s) -> {});
    assertThat(guide.diary.subList(0, 6))
        .containsExactly(
            "learn 3",
            "propose 3 in round 0",
            "learn 3",
            "propose 1 in round 1",
            "learn 1",
            "learn 3");
    assertThat(result.outcomes()).extracting(Outcome::queries).containsExactly(1, 1, 2, 2, 2, 2, 0);
    assertThat(result.outcomes().get(6).status()).isEqualTo(Outcome.Status.WRONG_ANYWAY);
  }

  static Stream<BlackBoxAttack> attacks() {
    return BlackBoxAttacks.all().stream().filter(a -> a.needs() == Oracle.Reply.SCORES);
  }

  /** The first image that an attack asks lies nearer to the best candidate than to the original. */
  @ParameterizedTest
  @MethodSource("attacks")
  void everyAttackThatAsksForScoresBeginsAtTheBestCandidate(BlackBoxAttack attack) {
    for (Metric metric : attack.metrics()) {
      float[][] far = {oracle.imageAt(20, Key.of(1))};
      double eps = metric == Metric.LINF ? 0.05 : 0.5;
      oracle.asked.clear();
      // The second candidate is worse: the first is the start.
      QueryResult result =
          new GuidedCampaign(
                  new Knowing(0.04, 0), 2, new Campaign(attack, new Threat(metric, eps), 40))
              .run(
                  new MeteredOracle(oracle, Limits.NONE), far, new int[1], Key.of(9), (d, s) -> {});
      assertThat(result.outcomes().getFirst().queries()).isEqualTo(40);
      assertThat(oracle.asked).as("the clean image and the budget").hasSize(1 + 40);
      float[] start = oracle.asked.get(1);
      float[] first = oracle.asked.get(3);
      // Bandits look a tenth of a pixel ahead.
      assertThat(Metric.L2.distance(first, start))
          .as(attack.name() + " in " + metric)
          .isLessThan(Metric.L2.distance(first, far[0]));
      assertThat(first).isNotEqualTo(start); // its margin is known
    }
  }

  @Test
  void proposalsAreOfTheBudget() {
    QueryResult result = run(new Knowing(0, 0, 0), 3, new Square(), 1e-4, 2);
    assertThat(result.outcomes())
        .allSatisfy(o -> {
          assertThat(o.queries()).isEqualTo(2);
          assertThat(o.status()).isEqualTo(Outcome.Status.SURVIVED);
        });
    assertThat(result.sent()).isEqualTo(3 * N);
  }

  @Test
  void aReachedCapKeepsWhatWasFound() {
    MeteredOracle capped = new MeteredOracle(oracle, Limits.NONE.withCap(N + 4));
    QueryResult result =
        new GuidedCampaign(new Knowing(1), 1, new Campaign(new Square(), Threat.linf(0.5), 9))
            .run(capped, images(), labels(), Key.of(9), (d, s) -> {});
    assertThat(result.ended()).startsWith("the cap of 11 queries is reached");
    assertThat(result.successCount()).isEqualTo(3);
    assertThat(result.outcomes().get(4).status()).isEqualTo(Outcome.Status.CUT_SHORT);
    assertThat(oracle.asked).hasSize(N + 3);
  }

  /** Two images a call: what a round's first call found stands when its second is refused. */
  @Test
  void aCallThatFailsTakesNothingBack() {
    oracle.largestBatch = 2;
    double near = oracle.exact(Metric.LINF, 0.1); // reaches image 0 alone
    MeteredOracle capped = new MeteredOracle(oracle, Limits.NONE.withCap(N + 2));
    QueryResult result =
        new GuidedCampaign(new Knowing(near), 1, new Campaign(new Square(), Threat.linf(0.5), 9))
            .run(capped, images(), labels(), Key.of(9), (d, s) -> {});
    assertThat(result.ended()).startsWith("the cap of 9 queries is reached");
    assertThat(result.outcomes()).extracting(Outcome::queries).startsWith(1, 1, 0);
    assertThat(result.outcomes().get(0).status()).isEqualTo(Outcome.Status.SUCCESS);
    assertThat(result.outcomes().get(1).status()).isEqualTo(Outcome.Status.CUT_SHORT);
  }

  /** Seven images in groups of three, all fooled by their first candidates. */
  @Test
  void progressIsToldAfterEveryCall() {
    List<String> told = new ArrayList<>();
    new GuidedCampaign(new Knowing(1), 1, new Campaign(new Square(), Threat.linf(0.5), 9))
        .run(
            new MeteredOracle(oracle, Limits.NONE),
            images(),
            labels(),
            Key.of(9),
            (done, sent) -> told.add(done + " of " + sent));
    assertThat(told).containsExactly("3 of 10", "6 of 13", "7 of 14");
  }

  @Test
  void aCandidateThatIsRepeatedIsNotAskedAgain() {
    Knowing guide = new Knowing(1e-4, 1e-4);
    QueryResult result = run(guide, 2, new Square(), oracle.exact(Metric.LINF, 0.01), 5);
    assertThat(guide.diary.subList(0, 5))
        .containsExactly(
            "learn 3", "propose 3 in round 0", "learn 3", "propose 3 in round 1", "learn 3");
    assertThat(guide.diary).filteredOn(line -> line.startsWith("learn")).hasSize(6);
    assertThat(result.outcomes()).extracting(Outcome::queries).containsOnly(5);
  }

  @Test
  void whatCannotBeGuidedIsRefused() {
    Knowing guide = new Knowing(1);
    Campaign labels = new Campaign(new HopSkipJump(), Threat.linf(0.1), 10);
    assertThatThrownBy(() -> new GuidedCampaign(guide, 1, labels))
        .hasMessage(
            "a guide helps attacks that ask for scores within an eps above 0, not hop-skip-jump at"
                + " eps 0.1");
    Campaign nowhere = new Campaign(new Square(), Threat.linf(0), 10);
    assertThatThrownBy(() -> new GuidedCampaign(guide, 1, nowhere))
        .hasMessageContaining("square at eps 0.0");
    Campaign fine = new Campaign(new Square(), Threat.linf(0.1), 10);
    assertThatThrownBy(() -> new GuidedCampaign(guide, 0, fine))
        .hasMessage("a guide makes at least 1 proposal, not 0");
  }
}
