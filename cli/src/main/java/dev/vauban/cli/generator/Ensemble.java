package dev.vauban.cli.generator;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.GeneratorResult;
import dev.vauban.cli.job.GeneratorTraining;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.training.KeptClassifier;
import dev.vauban.meta.generator.Surrogates;
import dev.vauban.nn.Model;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Surrogates with their weights, each in a file of its own, so that a session that goes on finds
 * them.
 *
 * @param surrogates the networks
 * @param weights theirs
 * @param members what they are, for the answer
 */
record Ensemble(
    Surrogates surrogates, Tree<Tensor> weights, List<GeneratorResult.Surrogate> members) {

  /**
   * The networks of a training.
   *
   * @throws CommandException exit 2, if one does not exist, does not fit the images, or has batch
   *     norms
   */
  static Surrogates networks(GeneratorTraining training, FewShotData data) {
    try {
      return new Surrogates(
          training.surrogates().stream()
              .map(name -> KeptClassifier.model("--surrogates", name, data.train()))
              .toList());
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput("--surrogates: " + e.getMessage(), e);
    }
  }

  /**
   * Trains those that are not in {@code folder} yet on the training images.
   *
   * @param scope owns the weights
   */
  static Ensemble of(
      Surrogates surrogates,
      GeneratorTraining training,
      FewShotData data,
      Path folder,
      Scope scope,
      Device device,
      Session session) {
    Tree<Tensor> weights = Tree.empty();
    List<GeneratorResult.Surrogate> members = new ArrayList<>();
    for (int s = 0; s < surrogates.models().size(); s++) {
      String name = Surrogates.name(s);
      Model model = surrogates.models().get(s);
      KeptClassifier kept =
          KeptClassifier.of(
              scope,
              device,
              folder.resolve(name + "-" + model.name() + ".safetensors"),
              new KeptClassifier.Recipe(
                  "vauban-surrogate",
                  model,
                  training.surrogateSteps(),
                  training.seed() + " " + name,
                  Purpose.SURROGATES.key(training.seed()).fold(s)),
              "surrogate " + name,
              data.all(),
              data.train(),
              data.validation(),
              session);
      weights = weights.with(name, kept.classifier().weights());
      members.add(new GeneratorResult.Surrogate(model.name(), kept.accuracy()));
      session.interrupt().check("the surrogates that were trained are kept");
    }
    return new Ensemble(surrogates, weights, List.copyOf(members));
  }
}
