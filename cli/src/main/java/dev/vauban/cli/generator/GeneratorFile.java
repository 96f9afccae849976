package dev.vauban.cli.generator;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.GeneratorTraining;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.meta.generator.Generator;
import dev.vauban.meta.generator.Surrogates;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A trained generator with its surrogates: {@code generator.safetensors} holds the tensors {@code
 * generator/...} and {@code surrogates/s0/...}, and its metadata say all that it takes to use them.
 * The bound of a pixel's change is the attack's own, not that of the training.
 *
 * @param generator the network
 * @param surrogates whom it was taught on
 * @param weights of the generator
 * @param surrogateWeights of the surrogates
 * @param kappa by how many logits a surrogate shall be wrong
 */
record GeneratorFile(
    Generator generator,
    Surrogates surrogates,
    Tree<Tensor> weights,
    Tree<Tensor> surrogateWeights,
    double kappa) {
  static final String NAME = "generator.safetensors";

  /** The folder of the surrogates that a run has trained. */
  static final String SURROGATES = "surrogates";

  private static final String FORMAT = "vauban-generator";

  /** Writes the file of a finished training. */
  static void write(
      Path file,
      GeneratorTraining training,
      Surrogates surrogates,
      long steps,
      Tree<Tensor> weights,
      Tree<Tensor> surrogateWeights) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("format", FORMAT);
    facts.put("image", plain(surrogates.image()));
    facts.put("classes", Integer.toString(surrogates.classes()));
    facts.put("filters", Integer.toString(training.filters()));
    facts.put(
        "surrogates",
        surrogates.models().stream().map(Model::name).collect(Collectors.joining(",")));
    facts.put("eps", Double.toString(training.eps()));
    facts.put("kappa", Double.toString(training.adaptation().kappa()));
    facts.put("inner_steps", Integer.toString(training.adaptation().innerSteps()));
    facts.put("inner_rate", Double.toString(training.adaptation().innerRate()));
    facts.put("data", training.data().toString());
    facts.put("steps", Long.toString(steps));
    facts.put("seed", Long.toString(training.seed()));
    Tree<Tensor> all =
        Tree.<Tensor>empty().with("generator", weights).with("surrogates", surrogateWeights);
    AtomicFile.write(file, body -> Safetensors.writeNew(body, all, facts));
  }

  /**
   * Finds the file of a generator.
   *
   * @param path a run of {@code vauban mcg train} or the file itself
   * @throws CommandException exit 2, if there is none
   */
  static Path find(Path path) {
    if (!Files.exists(path)) {
      throw CommandException.badInput(
          "--generator " + path + ": there is no such run or file; 'vauban mcg train' makes one");
    }
    if (!Files.isDirectory(path)) {
      return path;
    }
    Path file = path.resolve(NAME);
    if (Files.exists(file)) {
      return file;
    }
    boolean begun =
        RunDirectory.checkpoints(path).stream().findAny().isPresent()
            || Files.exists(path.resolve(SURROGATES));
    throw CommandException.badInput(
        begun
            ? "--generator %s: it is not trained to its end; continue it with 'vauban mcg train --resume --out %s'"
                .formatted(path, path)
            : "--generator " + path + ": it is no run of 'vauban mcg train'");
  }

  /**
   * Reads a generator.
   *
   * @param scope owns the weights
   * @throws CommandException exit 2, if the file holds none or is damaged
   */
  static GeneratorFile read(Path path, Scope scope) {
    Path file = find(path);
    Safetensors.File content = Safetensors.read(file, scope);
    Map<String, String> facts = content.metadata();
    if (!FORMAT.equals(facts.get("format"))) {
      throw CommandException.badInput(
          file + " holds no generator; give a run of 'vauban mcg train'");
    }
    Generator generator;
    Surrogates surrogates;
    double kappa;
    try {
      Shape image = shape(facts.get("image"));
      int classes = Integer.parseInt(facts.get("classes"));
      generator = new Generator(image, Integer.parseInt(facts.get("filters")));
      surrogates =
          new Surrogates(
              List.of(facts.get("surrogates").split(",")).stream()
                  .map(name -> Models.named(name, image, classes))
                  .toList());
      kappa = Double.parseDouble(facts.get("kappa"));
    } catch (IllegalArgumentException | NullPointerException | ShapeException e) {
      throw CommandException.badInput(
          file + " is damaged: what it says of itself makes no generator: " + facts, e);
    }
    Tree<Tensor> tensors =
        Safetensors.fit(
            file.toString(),
            Tree.<Type>empty()
                .with("generator", Weight.types(generator.weights()))
                .with("surrogates", surrogates.types()),
            content.tensors());
    return new GeneratorFile(
        generator, surrogates, tensors.sub("generator"), tensors.sub("surrogates"), kappa);
  }

  /** {@code 28x28x1}. */
  static String plain(Shape image) {
    return Arrays.stream(image.dims()).mapToObj(Integer::toString).collect(Collectors.joining("x"));
  }

  private static Shape shape(String text) {
    return Shape.of(Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray());
  }
}
