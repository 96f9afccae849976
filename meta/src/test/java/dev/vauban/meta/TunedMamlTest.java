package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TunedMamlTest {
  private final Tiny tiny = new Tiny(8);
  private final Device device = Device.open("cpu:1");

  @AfterEach
  void close() {
    device.close();
    tiny.close();
  }

  private MetaTrainer trainer(MetaLearner learner, double rate) {
    Loss clean = Loss.crossEntropy(tiny.model);
    return MetaTrainer.compile(
        device,
        new Method("m", learner, clean),
        tiny.model,
        tiny.train,
        4,
        tiny.weights,
        Optimizers.adam(rate),
        Key.of(3));
  }

  private TunedMaml tuned(Tuner tuner) {
    Loss clean = Loss.crossEntropy(tiny.model);
    return new TunedMaml(clean, clean, 3, tuner, Key.of(9));
  }

  /** With gradient descent as its optimiser it is first-order MAML, to the bit. */
  @Test
  void withGradientDescentItIsFirstOrderMaml() {
    Loss clean = Loss.crossEntropy(tiny.model);
    Maml maml = new Maml(clean, clean, 3, 0.1, Order.FIRST);
    try (MetaTrainer tuned = trainer(tuned(Tuner.of(Optimizers.sgd(0.1))), 0.01);
        MetaTrainer plain = trainer(maml, 0.01)) {
      for (int i = 0; i < 3; i++) {
        tuned.step();
        plain.step();
        assertThat(tuned.loss()).isEqualTo(plain.loss());
      }
      Map<String, Tensor> expected = plain.weights().paths();
      tuned
          .weights()
          .sub("weights")
          .paths()
          .forEach((path, t) ->
              assertThat(t.toDoubles()).as(path).containsExactly(expected.get(path).toDoubles()));
    }
  }

  /** A learned update: its own weights learn too, and tasks are solved better than at the start. */
  @Test
  void aLearnedUpdateLearns() {
    Tuner tuner = Tuner.learned(new LearnedOptimizer(6, LearnedOptimizer.Input.LOG_AND_SIGN, 0.05));
    try (MetaTrainer trainer = trainer(tuned(tuner), 0.01)) {
      double[] before = trainer.weights().get("tuner/out").toDoubles();
      double first = 0;
      double last = 0;
      for (int i = 0; i < 200; i++) {
        trainer.step();
        first += i < 20 ? trainer.loss() / 20 : 0;
        last += i >= 180 ? trainer.loss() / 20 : 0;
      }
      Tree<Tensor> after = trainer.weights().sub("tuner");
      assertThat(after.get("out").toDoubles()).isNotEqualTo(before);
      assertThat(last).isLessThan(0.8 * first);
    }
  }
}
