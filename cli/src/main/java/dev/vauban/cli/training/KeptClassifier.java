package dev.vauban.cli.training;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.meta.TrainedClassifier;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A classifier in a file: trained once, read again only where the file says that everything which
 * made its weights is as it is now.
 *
 * @param classifier the network
 * @param accuracy on images that it was not trained on, 0..1
 */
public record KeptClassifier(TrainedClassifier classifier, double accuracy) {
  private static final String ACCURACY = "accuracy";
  private static final double RATE = 1e-3;

  /**
   * How it is trained: by Adam on batches of 64.
   *
   * @param format what its file calls itself
   * @param model the network
   * @param steps batches
   * @param seed in words: tells its weights from those of other keys
   * @param key of all randomness
   */
  public record Recipe(String format, Model model, int steps, String seed, Key key) {}

  /**
   * The network of a name.
   *
   * @param option as the user writes it
   * @param classes images that it shall tell apart
   * @throws CommandException exit 2, if there is no such network or it cannot take the images
   */
  public static Model model(String option, String name, ImageSet classes) {
    try {
      return Models.named(name, classes.blockShape().without(0), classes.classCount());
    } catch (IllegalArgumentException | ShapeException e) {
      throw CommandException.badInput(option + " " + name + ": " + e.getMessage(), e);
    }
  }

  /**
   * The classifier of a file, or else a new one, which is written there.
   *
   * @param scope owns its weights
   * @param what it is called in messages
   * @param classes what it tells apart
   * @param training images to train it on
   * @param unseen images to measure its accuracy on
   */
  public static KeptClassifier of(
      Scope scope,
      Device device,
      Path file,
      Recipe recipe,
      String what,
      ImageSet classes,
      ImageSet training,
      ImageSet unseen,
      Session session) {
    Map<String, String> facts = facts(recipe, training);
    if (Files.exists(file)) {
      KeptClassifier kept = read(file, facts, recipe.model(), classes, scope);
      if (kept != null) {
        return kept;
      }
      session.console().notice(file + " is of other images or settings; it is made anew");
    }
    session
        .console()
        .notice("training %s: %s on %s".formatted(what, recipe.model().name(), training));
    TrainedClassifier classifier =
        TrainedClassifier.trained(
            scope,
            device,
            recipe.model(),
            classes,
            training,
            recipe.steps(),
            Optimizers.adam(RATE),
            recipe.key());
    double accuracy = classifier.correct(device, unseen, 0).size() / (double) unseen.size();
    facts.put(ACCURACY, Double.toString(accuracy));
    write(file, classifier, facts);
    session
        .console()
        .notice(
            String.format(Locale.ROOT, "%s: %.1f%% right on unseen images", file, 100 * accuracy));
    return new KeptClassifier(classifier, accuracy);
  }

  /** All that the weights depend on. */
  private static Map<String, String> facts(Recipe recipe, ImageSet training) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("format", recipe.format());
    facts.put("model", recipe.model().name());
    facts.put("input", recipe.model().input().toString());
    facts.put("classes", Integer.toString(training.classCount()));
    facts.put("data", training.contentHash());
    facts.put("steps", Integer.toString(recipe.steps()));
    facts.put("seed", recipe.seed());
    return facts;
  }

  /** Null if the file is of something else. */
  private static KeptClassifier read(
      Path file, Map<String, String> facts, Model model, ImageSet classes, Scope scope) {
    try {
      Safetensors.File content = Safetensors.read(file, scope);
      Map<String, String> found = content.metadata();
      if (!facts.entrySet().stream().allMatch(f -> f.getValue().equals(found.get(f.getKey())))) {
        return null;
      }
      Tree<Tensor> weights = Safetensors.fit(file.toString(), model.types(), content.tensors());
      double accuracy = Double.parseDouble(found.getOrDefault(ACCURACY, "NaN"));
      return new KeptClassifier(new TrainedClassifier(model, weights, classes), accuracy);
    } catch (FormatException e) {
      return null;
    }
  }

  private static void write(Path file, TrainedClassifier classifier, Map<String, String> facts) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw Failure.writing(file.getParent(), e);
    }
    AtomicFile.write(file, body -> Safetensors.writeNew(body, classifier.weights(), facts));
  }
}
