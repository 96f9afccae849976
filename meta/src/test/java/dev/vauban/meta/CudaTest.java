package dev.vauban.meta;

import static dev.vauban.nn.Optimizers.adam;
import static dev.vauban.nn.Optimizers.sgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cuda.FakeCard;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Meta-steps and evaluations under attack by the CUDA backend, on a card that is the processor:
 * against the reference, and against themselves.
 */
class CudaTest {
  private static Device card;

  @BeforeAll
  static void open() {
    card = FakeCard.open();
  }

  @AfterAll
  static void close() {
    if (card != null) {
      card.close();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "anil"})
  void aMetaStepAgreesWithTheReference(String method) {
    List<double[]> cuda = CpuTest.work(card, method, 1, sgd(0.1));
    List<double[]> reference;
    try (Device device = Device.open("reference")) {
      reference = CpuTest.work(device, method, 1, sgd(0.1));
    }
    // Weights and figures; a predicted class may differ where two logits are within rounding.
    for (int i = 0; i < reference.size() - 4; i++) {
      for (int k = 0; k < reference.get(i).length; k++) {
        assertThat(cuda.get(i)[k])
            .as("array %d element %d", i, k)
            .isCloseTo(reference.get(i)[k], within(2e-3));
      }
    }
  }

  private static MetaTrainer trainer(Device device, Tiny tiny, Key key) {
    return MetaTrainer.compile(
        device, tiny.method("rmaml-out"), tiny.model, tiny.train, 2, tiny.weights, adam(0.01), key);
  }

  /**
   * Four steps; after the second the state is read, a validation runs and a second training goes on
   * from there. Whichever of the card's streams is slow.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 2, 5, 7})
  void aCheckpointInTheMiddleIsRight(int lazy) {
    FakeCuda.control().lazy(lazy);
    try (Device device = FakeCard.open();
        Tiny tiny = new Tiny();
        MetaTrainer straight = trainer(device, tiny, Key.of(3));
        MetaTrainer looked = trainer(device, tiny, Key.of(3));
        MetaTrainer resumed = trainer(device, tiny, Key.of(4));
        Scope saved = Scope.open()) {
      MetaLearner learner = tiny.method("rmaml-out").evaluation();
      try (Evaluator evaluator =
          Evaluator.compile(
              device,
              learner,
              tiny.model,
              learner.types(tiny.model.types()),
              tiny.test,
              Protocol.papers().at(0, 2).inChunksOf(2))) {
        List<Double> losses = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          straight.step();
          losses.add(straight.loss());
          looked.step();
          assertThat(looked.loss()).isEqualTo(straight.loss());
          if (i == 1) {
            Tree<Tensor> now = looked.state();
            resumed.step(); // what it has under way is forgotten
            resumed.restore(saved.copies(now));
            double[] clean = evaluator.run(looked.weights(), 4, Tiny.EPS, Key.of(8)).clean()[1];
            Tree<Tensor> weights = saved.tensors(learner.types(tiny.model.types()));
            weights.mapPaths((path, t) -> t.copyFrom(now.sub("weights").get(path)));
            assertThat(evaluator.run(weights, 4, Tiny.EPS, Key.of(8)).clean()[1]).isEqualTo(clean);
          }
        }
        assertThat(losses).doesNotHaveDuplicates();
        assertThat(resumed.number()).isEqualTo(2);
        resumed.step();
        assertThat(resumed.loss()).isEqualTo(losses.get(2));
        resumed.step();
        List<double[]> expected = straight.state().map(Tensor::toDoubles).leaves();
        for (MetaTrainer other : List.of(looked, resumed)) {
          assertThat(other.number()).isEqualTo(4);
          assertThat(other.state().map(Tensor::toDoubles).leaves())
              .usingRecursiveComparison()
              .isEqualTo(expected);
        }
      }
    } finally {
      FakeCuda.control().lazy(0);
    }
  }

  /** The data set is copied once, weights and optimiser's state not at all, unless asked for. */
  @Test
  void aStepCopiesIndicesAndFigures() {
    FakeCuda control = FakeCuda.control();
    try (Tiny tiny = new Tiny();
        MetaTrainer trainer = trainer(card, tiny, Key.of(3))) {
      trainer.step();
      long up = control.copiedToCard();
      long down = control.copiedToHost();
      long launches = control.calls("cuGraphLaunch");
      for (int i = 0; i < 3; i++) {
        trainer.step();
      }
      assertThat(control.calls("cuGraphLaunch") - launches).isEqualTo(3);
      long state = trainer.stateTypes().leaves().stream().mapToLong(Type::bytes).sum();
      assertThat(control.copiedToCard() - up).isBetween(3L * 2 * (3 + 6) * 4, 3L * 256);
      assertThat(control.copiedToHost() - down).isBetween(3L * 3 * 4, 3L * 512);
      down = control.copiedToHost();
      trainer.weights();
      trainer.state();
      assertThat(control.copiedToHost() - down).isEqualTo(state);
    }
  }

  /** Two robust meta-steps with an attack inside, and PGD in the evaluation. */
  @Test
  void robustMetaStepsAreTheSameToTheBit() {
    List<double[]> once = CpuTest.work(card, "rmaml-out", 2, sgd(0.1));
    List<double[]> again = CpuTest.work(card, "rmaml-out", 2, sgd(0.1));
    assertThat(again).usingRecursiveComparison().isEqualTo(once);
    assertThat(once.getFirst()).doesNotContain(Double.NaN);
  }
}
