package dev.vauban.cli.tuning;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.UniversalTasks;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.meta.tuning.Victim;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Victims in files: trained once, read again only where the file says that everything which made
 * its weights is as it is now.
 *
 * @param victim the network
 * @param accuracy on images that it was not trained on, 0..1
 */
record Victims(Victim victim, double accuracy) {
  private static final String ACCURACY = "accuracy";
  private static final double RATE = 1e-3;

  /**
   * The victim of a source.
   *
   * @param scope owns its weights
   * @param name of the source, for file and messages
   * @param classes what it tells apart
   * @param training images to train it on
   * @param unseen images to measure its accuracy on
   */
  static Victims of(
      Scope scope,
      Device device,
      UniversalTasks tasks,
      String name,
      ImageSet classes,
      ImageSet training,
      ImageSet unseen,
      Session session) {
    Model model = model(tasks.victim(), classes);
    Map<String, String> facts = facts(model, tasks, training);
    Path file =
        tasks
            .victims()
            .resolve(
                "%s-%s-%dc-%d-s%d.safetensors"
                    .formatted(
                        name,
                        model.name(),
                        classes.classCount(),
                        tasks.victimSteps(),
                        tasks.victimSeed()));
    if (Files.exists(file)) {
      Victims kept = read(file, facts, model, classes, scope);
      if (kept != null) {
        return kept;
      }
      session.console().notice(file + " is of other images or settings; it is made anew");
    }
    session
        .console()
        .notice("training the victim of %s: %s on %s".formatted(name, model.name(), training));
    Victim victim =
        Victim.trained(
            scope,
            device,
            model,
            classes,
            training,
            tasks.victimSteps(),
            Optimizers.adam(RATE),
            Purpose.VICTIM.key(tasks.victimSeed()));
    double accuracy = victim.correct(device, unseen, 0).size() / (double) unseen.size();
    facts.put(ACCURACY, Double.toString(accuracy));
    write(file, victim, facts);
    session
        .console()
        .notice(
            String.format(Locale.ROOT, "%s: %.1f%% right on unseen images", file, 100 * accuracy));
    return new Victims(victim, accuracy);
  }

  private static Model model(String name, ImageSet classes) {
    try {
      return Models.named(name, classes.blockShape().without(0), classes.classCount());
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput("--victim " + name + ": " + e.getMessage(), e);
    }
  }

  /** All that the weights depend on. */
  private static Map<String, String> facts(Model model, UniversalTasks tasks, ImageSet training) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("format", "vauban-victim");
    facts.put("model", model.name());
    facts.put("input", model.input().toString());
    facts.put("classes", Integer.toString(training.classCount()));
    facts.put("data", training.contentHash());
    facts.put("steps", Integer.toString(tasks.victimSteps()));
    facts.put("seed", Long.toString(tasks.victimSeed()));
    return facts;
  }

  /** Null if the file is of something else. */
  private static Victims read(
      Path file, Map<String, String> facts, Model model, ImageSet classes, Scope scope) {
    try {
      Safetensors.File content = Safetensors.read(file, scope);
      Map<String, String> found = content.metadata();
      if (!facts.entrySet().stream().allMatch(f -> f.getValue().equals(found.get(f.getKey())))) {
        return null;
      }
      Tree<Tensor> weights = Safetensors.fit(file.toString(), model.types(), content.tensors());
      double accuracy = Double.parseDouble(found.getOrDefault(ACCURACY, "NaN"));
      return new Victims(new Victim(model, weights, classes), accuracy);
    } catch (FormatException e) {
      return null;
    }
  }

  private static void write(Path file, Victim victim, Map<String, String> facts) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw Failure.writing(file.getParent(), e);
    }
    AtomicFile.write(file, body -> Safetensors.writeNew(body, victim.weights(), facts));
  }
}
