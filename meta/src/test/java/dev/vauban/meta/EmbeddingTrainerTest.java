package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.nn.augment.Augmentations;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingTrainerTest {
  private static final Key ORDER = Key.of(8);
  private static final Key RANDOM = Key.of(9);
  private static final int BATCH = 10;
  private final Tiny tiny = new Tiny();
  private final ImageSet set = tiny.data.train();
  private final int classes = set.classCount();
  private final int pixels = set.height() * set.width();
  private final Scope scope = Scope.open();
  private final Model linear = Models.named("linear", Shape.of(12, 12, 1), classes);

  @AfterEach
  void close() {
    scope.close();
    tiny.close();
  }

  private Tree<Tensor> weights(long seed) {
    return linear.init(scope, Key.of(seed));
  }

  private EmbeddingTrainer trainer(
      Device device, Tree<Tensor> weights, EmbeddingTrainer.Recipe recipe) {
    return EmbeddingTrainer.compile(
        device, linear, set, recipe, weights, Optimizers.sgd(0.5), ORDER, RANDOM);
  }

  private static double[] softmax(double[] z, double temperature) {
    double[] p = new double[z.length];
    double sum = 0;
    for (int c = 0; c < z.length; c++) {
      sum += p[c] = Math.exp(z[c] / temperature);
    }
    for (int c = 0; c < z.length; c++) {
      p[c] /= sum;
    }
    return p;
  }

  private double[] logits(Tree<Tensor> w, double[] x) {
    double[] z = w.get("head/b").toDoubles();
    double[] m = w.get("head/w").toDoubles();
    for (int i = 0; i < pixels; i++) {
      for (int c = 0; c < classes; c++) {
        z[c] += x[i] * m[i * classes + c];
      }
    }
    return z;
  }

  /** Which image of the set, counted class by class, is number i of the training. */
  private int[] order(long epoch) {
    return ORDER.fold(epoch).permutation(set.size());
  }

  private record Labelled(double[] x, int label) {}

  private Labelled image(int place) {
    List<int[]> all =
        IntStream.range(0, classes)
            .boxed()
            .flatMap(c -> IntStream.of(set.imagesOf(c)).mapToObj(i -> new int[] {i, c}))
            .toList();
    MemorySegment bytes = set.image(all.get(place)[0]);
    double[] x = new double[pixels];
    for (int i = 0; i < pixels; i++) {
      x[i] = (bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF) / 255.0;
    }
    return new Labelled(x, all.get(place)[1]);
  }

  /**
   * One step of softmax regression in plain loops, with and without a teacher: the slope of the
   * logits is p - y, and T (p_T - q_T) for T^2 KL at temperature T.
   */
  @ParameterizedTest
  @ValueSource(strings = {"alone", "taught"})
  void aStepDescendsTheLossOfItsBatch(String how) {
    Tree<Tensor> start = weights(1);
    Tree<Tensor> teacher = weights(2);
    EmbeddingTrainer.Recipe recipe =
        new EmbeddingTrainer.Recipe(
            BATCH,
            Augmentation.none(),
            Optional.empty(),
            Optional.of(teacher).filter(t -> how.equals("taught")),
            0.3,
            4);
    double share = how.equals("taught") ? 0.3 : 0;
    double[] m = start.get("head/w").toDoubles();
    double loss = 0;
    double change = 0;
    for (int k = 0; k < BATCH; k++) {
      Labelled image = image(order(0)[k]);
      double[] z = logits(start, image.x);
      double[] p = softmax(z, 1);
      double[] cool = softmax(z, 4);
      double[] taught = softmax(logits(teacher, image.x), 4);
      loss -= (1 - share) * Math.log(p[image.label]) / BATCH;
      for (int c = 0; c < classes; c++) {
        loss += share * 16 * taught[c] * Math.log(taught[c] / cool[c]) / BATCH;
        double slope =
            (1 - share) * (p[c] - (c == image.label ? 1 : 0)) + share * 4 * (cool[c] - taught[c]);
        for (int i = 0; i < pixels; i++) {
          m[i * classes + c] -= 0.5 * slope * image.x[i] / BATCH;
        }
      }
    }
    try (Device device = Device.open("reference");
        EmbeddingTrainer trainer = trainer(device, start, recipe)) {
      trainer.step();
      assertThat(trainer.loss()).isCloseTo(loss, within(1e-5));
      double[] after = trainer.weights().get("head/w").toDoubles();
      double[] before = start.get("head/w").toDoubles();
      for (int i = 0; i < m.length; i++) {
        assertThat(after[i]).isCloseTo(m[i], within(1e-6));
        change = Math.max(change, Math.abs(after[i] - before[i]));
      }
    }
    assertThat(change).isGreaterThan(1e-3);
  }

  /** Attacked images cost more than clean ones at the same weights, and the figures say so. */
  @Test
  void trainsOnAttackedImages() {
    EmbeddingTrainer.Recipe clean = EmbeddingTrainer.Recipe.of(BATCH, Augmentation.none());
    try (Device device = Device.open("reference");
        EmbeddingTrainer plain = trainer(device, weights(1), clean);
        EmbeddingTrainer robust =
            trainer(device, weights(1), clean.against(new FgsmRs(new Linf(0.2))))) {
      plain.step();
      robust.step();
      assertThat(robust.loss()).isGreaterThan(plain.loss() + 0.1);
      assertThat(robust.accuracy()).isEqualTo(plain.accuracy());
      assertThat(robust.robustAccuracy()).isPresent();
      assertThat(plain.robustAccuracy()).isEmpty();
    }
  }

  /** Resumed in the second epoch, it goes on to the same bits. */
  @Test
  void resumesToTheSameBits() {
    EmbeddingTrainer.Recipe recipe = EmbeddingTrainer.Recipe.of(BATCH, Augmentations.strokes());
    int steps = set.size() / BATCH + 2;
    try (Device device = Device.open("cpu:1");
        EmbeddingTrainer straight = trainer(device, weights(1), recipe);
        EmbeddingTrainer second = trainer(device, weights(3), recipe)) {
      for (int i = 0; i < steps; i++) {
        if (i == steps - 1) {
          second.restore(straight.state());
        }
        straight.step();
      }
      second.step();
      assertThat(second.number()).isEqualTo(steps);
      assertThat(second.weights().get("head/w").toDoubles())
          .isEqualTo(straight.weights().get("head/w").toDoubles());
    }
  }

  @Test
  void theHeadMustHaveAllClasses() {
    try (Device device = Device.open("reference")) {
      assertThatThrownBy(() ->
              EmbeddingTrainer.compile(
                  device,
                  tiny.model,
                  set,
                  EmbeddingTrainer.Recipe.of(4, Augmentation.none()),
                  tiny.weights,
                  Optimizers.sgd(1),
                  ORDER,
                  RANDOM))
          .hasMessage(
              "pre-training on " + classes + " classes needs a head for as many, not for 3");
    }
  }
}
