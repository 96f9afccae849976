package dev.vauban.cli.work;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.nn.Model;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Weights in files. A checkpoint holds {@code weights/...} and the rest of the training's state;
 * {@code best.safetensors} and files from elsewhere may hold {@code weights/...} alone, or just the
 * tree of the weights. Its metadata says what the weights belong to.
 */
final class ModelFile {
  /** The weights that did best in validation, beside a run's checkpoints. */
  static final String BEST = "best.safetensors";

  static final String MODEL = "model";
  private static final String METHOD = "method";
  private static final String INPUT = "input";
  private static final String WAYS = "ways";

  private ModelFile() {}

  /** What the weights of a recipe belong to. */
  static Map<String, String> metadata(Recipe recipe) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("format", "vauban");
    facts.put(METHOD, recipe.method().name());
    facts.put(MODEL, recipe.model().name());
    facts.put(INPUT, recipe.model().input().toString());
    facts.put(WAYS, recipe.model().outputShape().toString());
    return facts;
  }

  /** The file of a model: that file, or the best or else the latest checkpoint of a run. */
  static Path of(Path model) {
    if (!Files.isDirectory(model)) {
      return model;
    }
    Path best = model.resolve(BEST);
    return Files.exists(best)
        ? best
        : RunDirectory.latest(model).map(Checkpoint::file).orElseThrow();
  }

  /**
   * Reads a training's state.
   *
   * @throws CommandException exit 2, if the file belongs to another architecture
   */
  static Safetensors.File state(Path file, Recipe recipe, Tree<Type> expected, Scope scope) {
    Safetensors.File content = Safetensors.read(file, scope);
    check(file, recipe, content.metadata());
    Tree<Tensor> fitted = Safetensors.fit(file.toString(), expected, content.tensors());
    return new Safetensors.File(fitted, content.metadata());
  }

  /**
   * Reads the meta-parameters.
   *
   * @throws CommandException exit 2, if the file belongs to another architecture
   */
  static Tree<Tensor> weights(Path file, Recipe recipe, Scope scope) {
    Safetensors.File content = Safetensors.read(file, scope);
    check(file, recipe, content.metadata());
    Tree<Tensor> tensors = content.tensors();
    Tree<Tensor> weights = tensors.has("weights") ? tensors.sub("weights") : tensors;
    return Safetensors.fit(file.toString(), recipe.theta(), recipe.judged(weights));
  }

  /**
   * The whole network of an earlier pre-training, head and all.
   *
   * @param run its directory
   * @throws CommandException exit 2, if there is none or it is of another architecture
   */
  static Tree<Tensor> teacher(Path run, Recipe recipe, Model whole, Scope scope) {
    if (!Files.isDirectory(run) || RunDirectory.latest(run).isEmpty()) {
      throw CommandException.badInput(
          "--teacher " + run + ": no run with a checkpoint; give the directory of an rfs run");
    }
    Path file = RunDirectory.latest(run).orElseThrow().file();
    Safetensors.File content = Safetensors.read(file, scope);
    check(file, recipe, content.metadata());
    if (!content.tensors().has("weights/head")) {
      throw CommandException.badInput(
          "--teacher " + run + ": it holds no classifier of all training classes; give an rfs run");
    }
    return Safetensors.fit(file.toString(), whole.types(), content.tensors().sub("weights"));
  }

  /** Says in the user's terms how the weights differ from what they are asked to be. */
  private static void check(Path file, Recipe recipe, Map<String, String> found) {
    Map<String, String> wanted = metadata(recipe);
    differ(file, "its network is %s, not %s", found.get(MODEL), wanted.get(MODEL));
    differ(file, "it takes images of %s, not %s", found.get(INPUT), wanted.get(INPUT));
    differ(file, "it tells %s classes apart, not %s", found.get(WAYS), wanted.get(WAYS));
  }

  private static void differ(Path file, String how, String found, String wanted) {
    if (found != null && !found.equals(wanted)) {
      throw CommandException.badInput(
          file + " is of another architecture: " + how.formatted(plain(found), plain(wanted)));
    }
  }

  /** A shape as {@code 28x28x1}, anything else as it is. */
  private static String plain(String fact) {
    return fact.startsWith("[") ? fact.replaceAll("[\\[\\] ]", "").replace(',', 'x') : fact;
  }
}
