package dev.vauban.meta;

import static dev.vauban.nn.Optimizers.adam;
import static dev.vauban.nn.Optimizers.sgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Optimizer;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same meta-steps and evaluations on the CPU backend as in the reference. */
class CpuTest {
  /** Weights after {@code steps} meta-steps, then clean and robust accuracies of six episodes. */
  private static List<double[]> work(String device, String method, int steps, Optimizer optimizer) {
    try (Device d = Device.open(device)) {
      return work(d, method, steps, optimizer);
    }
  }

  /** The same on a device that stays open. */
  static List<double[]> work(Device d, String method, int steps, Optimizer optimizer) {
    try (Tiny tiny = new Tiny();
        MetaTrainer trainer =
            MetaTrainer.compile(
                d,
                tiny.method(method),
                tiny.model,
                tiny.train,
                3,
                tiny.weights,
                optimizer,
                Key.of(3))) {
      for (int i = 0; i < steps; i++) {
        trainer.step();
      }
      List<double[]> out = new ArrayList<>(trainer.weights().map(Tensor::toDoubles).leaves());
      out.add(new double[] {trainer.loss(), trainer.accuracy()});
      MetaLearner learner = tiny.method(method).evaluation();
      try (Evaluator e =
          Evaluator.compile(
              d,
              learner,
              tiny.model,
              learner.types(tiny.model.types()),
              tiny.test,
              Protocol.papers().at(0, 4).inChunksOf(3))) {
        Evaluation r = e.run(trainer.weights(), 6, Tiny.EPS, Key.of(8));
        out.addAll(List.of(r.clean()[0], r.clean()[1], r.robust()[0], r.robust()[1]));
      }
      return out;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "fomaml", "anil", "meta-sgd", "maml-lft", "reptile"})
  void aMetaStepAgreesWithTheReference(String method) {
    List<double[]> cpu = work("cpu:2", method, 1, sgd(0.1));
    List<double[]> reference = work("reference", method, 1, sgd(0.1));
    // Weights and figures; a predicted class may differ where two logits are within rounding.
    for (int i = 0; i < reference.size() - 4; i++) {
      for (int k = 0; k < reference.get(i).length; k++) {
        assertThat(cpu.get(i)[k])
            .as("array %d element %d", i, k)
            .isCloseTo(reference.get(i)[k], within(2e-3));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "rmaml-out", "rmaml-both", "rmaml-trades", "aq", "adml"})
  void bitsDoNotDependOnTheNumberOfWorkers(String method) {
    List<double[]> one = work("cpu:1", method, 3, adam(0.01));
    List<double[]> two = work("cpu:2", method, 3, adam(0.01));
    assertThat(two).usingRecursiveComparison().isEqualTo(one);
    assertThat(one.getFirst()).doesNotContain(Double.NaN);
  }

  @Test
  void learnsOnTheCpu() {
    List<double[]> before = work("cpu:2", "fomaml", 1, adam(0.01));
    List<double[]> after = work("cpu:2", "fomaml", 120, adam(0.01));
    int loss = after.size() - 5;
    assertThat(after.get(loss)[0]).isLessThan(before.get(loss)[0]);
  }
}
