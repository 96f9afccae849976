package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.Gradients;
import dev.vauban.bench.steps.BatchCase.Goal;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Shape;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BoundBatchTest {
  private static final BatchCase ATTACK = named("pgd20-resnet18");
  private static final BatchCase TRAINING = named("at-resnet18");

  private static BatchCase named(String name) {
    return BatchCase.all().stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow();
  }

  private static BatchCase with(BatchCase c, Shape image, int width, int images, int steps) {
    return new BatchCase(
        c.name(), c.title(), c.network(), c.goal(), image, width, images, steps, Precision.F32);
  }

  static Stream<BatchCase> small() {
    return Stream.concat(BatchCase.all().stream(), BatchCase.onCards().stream().skip(1))
        .map(BatchCase::small);
  }

  /**
   * ResNet-18 takes 1.11 GFLOP for an image of 32x32 and nearly as many for the gradient; a step of
   * the attack takes both, a step of training that and the kernels' gradients.
   */
  @Test
  void thePlanCountsTheConvolutionsOfTheNetwork() {
    double forward = 2 * (27 * 64 * 1024.0 + 3 * 128 * 64 * 256.0); // stem and projections
    forward += 2 * (13 * 4 + 3 * 2) * 9 * 64 * 64 * 256.0; // of 3x3, 3 of them with stride 2
    forward += 2 * 512 * 10.0;
    Shape image = Shape.of(32, 32, 3);
    try (BoundBatch attack = with(ATTACK, image, 64, 4, 3).bind(1);
        BoundBatch training = with(TRAINING, image, 64, 4, 3).bind(1)) {
      double step = 2 * 4 * forward;
      assertThat((double) attack.flops()).isBetween(3 * step, 3.05 * step);
      assertThat((double) training.flops()).isBetween(4.45 * step, 4.7 * step);
    }
  }

  /** The perturbation stays in the ball, and much of it is on its surface after enough steps. */
  @Test
  void theAttackMovesEveryImageWithinTheBall() {
    try (BoundBatch bound = with(ATTACK, Shape.of(16, 16, 3), 8, 8, 10).bind(2)) {
      bound.run();
      float[] moved = bound.result().get("perturbation");
      float eps = (float) BatchCase.EPS;
      int onSurface = 0;
      for (float m : moved) {
        assertThat(Math.abs(m)).isLessThanOrEqualTo(eps * 1.0001f);
        onSurface += Math.abs(m) > 0.99f * eps ? 1 : 0;
      }
      assertThat(onSurface).isGreaterThan(moved.length / 4);
    }
  }

  /** Images that do not mix may be attacked in slices: the slices' attacks are the batch's. */
  @Test
  void slicesAreAttackedAsTheirImagesAlone() {
    Shape image = Shape.of(16, 16, 3);
    try (BoundBatch two = with(ATTACK, image, 8, 64, 1).bind(2);
        BoundBatch one = with(ATTACK, image, 8, 63, 1).bind(1)) {
      two.run();
      one.run();
      float[] sliced = two.result().get("perturbation");
      float[] whole = one.result().get("perturbation");
      int same = 0;
      for (int i = 0; i < whole.length; i++) {
        same += Math.abs(whole[i] - sliced[i]) < 1e-6 ? 1 : 0;
      }
      // The folded weights differ a little, since the reference batch has an image less; images
      // taken apart wrongly would agree in half of the signs.
      assertThat(same).isGreaterThan((int) (0.85 * whole.length));
    }
  }

  @ParameterizedTest
  @MethodSource("small")
  void theNumberOfThreadsDoesNotShow(BatchCase small) {
    try (BoundBatch one = small.bind(1);
        BoundBatch two = small.bind(2)) {
      one.run();
      two.run();
      Map<String, float[]> expected = one.result();
      two.result().forEach((name, v) -> assertThat(v).as(name).isEqualTo(expected.get(name)));
      assertThat(Gradients.error(two.resultNear(0.01), expected)).isPositive();
      two.run();
      assertThat(Gradients.error(two.result(), expected)).isZero();
    }
  }

  @Test
  void aPeerIsToldWhatIsComputed() {
    try (BoundBatch attack = ATTACK.small().bind(1);
        BoundBatch training = TRAINING.small().bind(1)) {
      BatchStep a = attack.numbers();
      assertThat(a.norms()).isEqualTo(BatchStep.Norms.FOLDED);
      assertThat(a.update()).isNull();
      assertThat(a.weights()).containsKey("body/stem1/conv1/b");
      BatchStep t = training.numbers();
      assertThat(t.norms()).isEqualTo(BatchStep.Norms.BATCH);
      assertThat(t.update().momentum()).isEqualTo(0.9);
      assertThat(t.weights()).containsKey("body/stem1/norm1/scale");
      training.run();
      assertThat(training.result().keySet()).isEqualTo(t.weights().keySet());
      assertThat(TRAINING.goal()).isEqualTo(Goal.TRAIN);
    }
  }
}
