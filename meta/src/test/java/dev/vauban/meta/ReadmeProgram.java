package dev.vauban.meta;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import java.nio.file.Path;

/** The README's program, word for word. */
final class ReadmeProgram {
  private ReadmeProgram() {}

  // README begins
  /** Robust MAML: adapt to clean support images, answer for attacked query images. */
  static void train(int steps, Path file) throws Exception {
    Model net = Models.named("conv4-strided-32", Shape.of(28, 28, 1), 5);
    Loss clean = (w, batch) -> Losses.crossEntropy(net.logits(w, batch.x()), batch.y()).mean();
    Attack pgd = new Pgd(new Linf(16 / 255.0), 4 / 255.0, 10);
    Loss robust = new AdversarialTraining(pgd).apply(clean);
    Maml maml = new Maml(clean, robust, 5, 0.1, Order.SECOND);
    try (FewShotData data = DataSets.open("glyphs");
        Device cpu = Device.open("cpu");
        Scope scope = Scope.open();
        MetaTrainer trainer =
            MetaTrainer.compile(
                cpu,
                new Method("robust MAML", maml, maml, clean, pgd),
                net,
                new EpisodeSampler(data.train(), 5, 1, 15, Key.of(7)), // ways, shots, queries
                4, // tasks of a meta-step
                net.init(scope, Key.of(1)),
                Optimizers.adam(1e-3),
                Key.of(2))) {
      while (trainer.number() < steps) {
        trainer.step(); // one compiled plan: adapt, attack, differentiate twice, update
      }
      Safetensors.write(file, trainer.weights());
    }
  }
  // README ends
}
