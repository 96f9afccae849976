package example;

import dev.vauban.meta.Evaluator;
import dev.vauban.meta.MetaTrainer;
import dev.vauban.meta.Method;
import dev.vauban.meta.Protocol;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;

/** Trains one's own learner on one's own data, and evaluates it clean and under PGD-10. */
public final class Application {
  private Application() {}

  /** The evaluation after so many meta-steps. */
  public static dev.vauban.meta.Evaluation run(int metaSteps) {
    Model net = Models.named("conv4-strided-16", Shape.of(16, 16, 1), 3);
    Loss loss = Loss.crossEntropy(net);
    SignMaml learner = new SignMaml(loss, 3, 0.01);
    try (FewShotData data = Gratings.open();
        Device device = Device.open("cpu");
        Scope scope = Scope.open();
        MetaTrainer trainer =
            MetaTrainer.compile(
                device,
                new Method("sign-maml", learner, loss),
                net,
                new EpisodeSampler(data.train(), 3, 1, 5, Key.of(2)),
                4,
                net.init(scope, Key.of(3)),
                Optimizers.adam(0.003),
                Key.of(4));
        Evaluator evaluator =
            Evaluator.compile(
                device,
                learner,
                net,
                trainer.weights().map(Tensor::type),
                new EpisodeSampler(data.test(), 3, 1, 5, Key.of(5)),
                Protocol.papers().at(3))) {
      while (trainer.number() < metaSteps) {
        trainer.step();
      }
      return evaluator.run(trainer.weights(), 40, 8 / 255.0, Key.of(6));
    }
  }
}
