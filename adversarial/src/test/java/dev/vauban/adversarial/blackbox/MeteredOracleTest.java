package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.adversarial.blackbox.OracleException.Kind;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Counting before asking, repeating, waiting, and refusing nonsense. */
class MeteredOracleTest {
  private static final Shape IMAGE = Shape.of(1, 2, 1);
  private final List<Duration> slept = new ArrayList<>();
  private long now;

  private void sleep(Duration time) {
    slept.add(time);
    now += time.toNanos();
  }

  /** Counts its own calls; fails by chance; answers through {@code change}. */
  private static final class Faulty implements Oracle {
    private final Draw draw = new Draw(Key.of(8));
    private final double failures;
    private final UnaryOperator<Answers> change;
    private long seen;

    Faulty(double failures, UnaryOperator<Answers> change) {
      this.failures = failures;
      this.change = change;
    }

    @Override
    public Reply reply() {
      return Reply.SCORES;
    }

    @Override
    public Shape image() {
      return IMAGE;
    }

    @Override
    public int classes() {
      return 2;
    }

    @Override
    public int largestBatch() {
      return 7;
    }

    @Override
    public Answers ask(float[][] images) {
      seen += images.length;
      if (draw.uniform() < failures) {
        throw new OracleException(Kind.PASSING, "the service is busy");
      }
      double[][] scores = new double[images.length][];
      for (int i = 0; i < scores.length; i++) {
        scores[i] = new double[] {images[i][0], images[i][1]};
      }
      return change.apply(Answers.ofScores(scores));
    }

    @Override
    public void close() {}
  }

  private MeteredOracle metered(Oracle oracle, Limits limits) {
    return new MeteredOracle(oracle, new QueryMeter(limits, this::sleep, () -> now));
  }

  @Test
  void theCapHoldsWhateverFailsAndWhateverIsAsked() {
    for (int cap = 1; cap < 300; cap += 7) {
      Faulty faulty = new Faulty(0.4, a -> a);
      MeteredOracle oracle =
          metered(faulty, new Limits(cap, Double.POSITIVE_INFINITY, 6, Duration.ofMillis(1)));
      float[][] images = {{1, 0}, {0.9f, 0.1f}, {0.2f, 0.8f}, {1, 0}};
      QueryResult result =
          new Campaign(new SimBa(), Threat.linf(0.05), 100)
              .run(oracle, images, new int[] {0, 0, 1, 0}, Key.of(cap), (done, sent) -> {});
      assertThat(faulty.seen).isLessThanOrEqualTo(cap).isEqualTo(oracle.meter().sent());
      assertThat(result.sent()).isEqualTo(oracle.meter().sent());
    }
  }

  @Test
  void passingFailuresAreRepeatedWithGrowingDelaysAndCount() {
    Faulty down = new Faulty(1, a -> a);
    MeteredOracle oracle =
        metered(down, new Limits(1000, Double.POSITIVE_INFINITY, 4, Duration.ofMillis(100)));
    assertThatThrownBy(() -> oracle.ask(new float[3][2]))
        .hasMessage("the service is busy (asked 5 times)");
    assertThat(down.seen).isEqualTo(15).isEqualTo(oracle.meter().sent());
    assertThat(slept).hasSize(4);
    for (int k = 0; k < 4; k++) {
      assertThat(slept.get(k).toMillis()).isBetween(100L << k, 150L << k);
    }
  }

  @Test
  void theRateIsHeld() {
    MeteredOracle oracle = metered(new Faulty(0, a -> a), new Limits(1000, 10, 0, Duration.ZERO));
    oracle.ask(new float[5][2]);
    oracle.ask(new float[2][2]);
    now += 100_000_000;
    oracle.ask(new float[1][2]);
    // Ten a second: half a second for the first five, then a fifth for two, half of it gone by.
    assertThat(slept).containsExactly(Duration.ofMillis(500), Duration.ofMillis(100));
    now += 3_000_000_000L;
    oracle.ask(new float[7][2]);
    assertThat(slept).hasSize(2);
  }

  @Test
  void nonsenseIsRefusedInOneSentence() {
    refuses(a -> Answers.ofScores(new double[1][2]), "the oracle answered 1 of 2 images");
    refuses(
        a -> Answers.ofScores(new double[][] {{1, 2}, {Double.NaN, 0}}),
        "the oracle gave a score of NaN");
    refuses(
        a -> Answers.ofScores(new double[2][3]),
        "the oracle gave 3 scores for an image of 2 classes");
    refuses(
        a -> Answers.ofLabels(new int[2]), "the oracle gave labels although it promised scores");
  }

  private void refuses(UnaryOperator<Answers> answer, String sentence) {
    MeteredOracle oracle =
        metered(
            new Faulty(0, answer),
            new Limits(9, Double.POSITIVE_INFINITY, 3, Duration.ofMillis(1)));
    assertThatThrownBy(() -> oracle.ask(new float[2][2])).hasMessage(sentence);
    assertThat(oracle.meter().sent()).isEqualTo(2); // not asked again
    assertThat(slept).isEmpty();
  }
}
