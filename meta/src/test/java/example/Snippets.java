package example;

import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.ModelOracle;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.adversarial.blackbox.Square;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.Problems;
import dev.vauban.meta.tuning.TunerEvaluation;
import dev.vauban.meta.tuning.TunerTrainer;
import dev.vauban.meta.tuning.Unroll;
import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.Episode;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.List;

/**
 * The pages' pieces of programs. What a piece takes for granted is its method's parameters; in this
 * package it sees public API alone.
 */
final class Snippets {
  private Snippets() {}

  /** docs/data.md. */
  static void data() {
    try (FewShotData data = DataSets.open("omniglot:data/omniglot")) {
      EpisodeSampler sampler = new EpisodeSampler(data.train(), 5, 1, 15, Key.of(42));
      Episode first = sampler.episode(0); // always the same five characters and images
    }
  }

  /** docs/black-box.md. */
  static double blackBox(
      Device device,
      Model net,
      Shape image,
      int classes,
      Tree<Tensor> weights,
      float[][] images,
      int[] labels) {
    Oracle oracle = new ModelOracle(device, image, classes, weights, net::logits, 256);
    QueryResult found =
        new Campaign(new Square(), Threat.linf(16 / 255.0), 5000)
            .run(oracle, images, labels, Key.of(1));
    double within1000 = found.successRate(1000);
    oracle.close();
    return within1000;
  }

  /** docs/tuning.md. */
  static void tuning(Device device, Scope scope, Problems small, Problems large, Problems other) {
    Tuner tuner =
        Tuner.learned(new LearnedOptimizer(10, LearnedOptimizer.Input.LOG_AND_SIGN, 0.05));
    try (TunerTrainer trainer =
        TunerTrainer.compile(
            device,
            tuner,
            List.of(small, large),
            8,
            Unroll.of(20, 3),
            Gradients.exact(),
            Weight.init(tuner.weights(), scope, Key.of(1)),
            Optimizers.adam(0.003).clippedByNorm(1),
            Key.of(2))) {
      while (trainer.number() < 120) {
        trainer.step();
      }
      try (var test = TunerEvaluation.compile(device, tuner, other, 100, Gradients.exact())) {
        test.run(trainer.weights(), 0, 200, Key.of(3)).getLast().mean("success_unseen");
      }
    }
  }
}
