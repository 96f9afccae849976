package dev.vauban.meta;

import static dev.vauban.nn.Optimizers.sgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.backend.cuda.FakeCard;
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

  /** Two robust meta-steps with an attack inside, and PGD in the evaluation. */
  @Test
  void robustMetaStepsAreTheSameToTheBit() {
    List<double[]> once = CpuTest.work(card, "rmaml-out", 2, sgd(0.1));
    List<double[]> again = CpuTest.work(card, "rmaml-out", 2, sgd(0.1));
    assertThat(again).usingRecursiveComparison().isEqualTo(once);
    assertThat(once.getFirst()).doesNotContain(Double.NaN);
  }
}
