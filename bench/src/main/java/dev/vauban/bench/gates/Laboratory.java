package dev.vauban.bench.gates;

import dev.vauban.adversarial.Attacks;
import dev.vauban.bench.Machine;
import dev.vauban.bench.gates.Result.Score;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.cli.terminal.Json;
import dev.vauban.meta.Accuracy;
import dev.vauban.meta.Evaluation;
import dev.vauban.meta.Evaluator;
import dev.vauban.meta.IntrinsicDimension;
import dev.vauban.meta.MetaTrainer;
import dev.vauban.meta.Protocol;
import dev.vauban.nn.Conv4;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.OmniglotSplit;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trains and measures recipes in the set-up of the reference measurement: Omniglot at 28x28, ink 1
 * on paper 0, no rotations, 1,623 characters shuffled into 1,200 for training and 423 for testing;
 * 5-way 1-shot with 15 queries per class; the strided Conv4; 4 tasks a meta-step, Adam 1e-3; judged
 * after 10 fine-tune steps by PGD-10, on the same test episodes and attack starts for all.
 *
 * <p>Trained weights and results stay in the work folder; what is there is not done again.
 */
final class Laboratory implements AutoCloseable {
  private static final int WAYS = 5;
  private static final int QUERIES = 15;
  private static final int TASKS = 4;
  private static final int FINE_TUNE = 10;
  private static final double META_RATE = 1e-3;
  private static final Shape IMAGE = Shape.of(28, 28, 1);
  private static final Key TEST_EPISODES = Key.of(20_261_121);
  private static final Key TEST_ATTACK = TEST_EPISODES.fold(1);
  private static final int CHECKED_IMAGES = 8 * WAYS * QUERIES;
  private static final int FEW = 40; // episodes for attacks that are only compared
  private static final int ID_CLASSES = 200;
  private static final int ID_IMAGES = 20;

  private final Device device;
  private final FewShotData data;
  private final Path work;
  private final Console console;
  private final Interrupt interrupt;
  private final Machine machine = Machine.here();

  Laboratory(Path omniglot, Path work, int workers, Console console, Interrupt interrupt) {
    this.work = work;
    this.console = console;
    this.interrupt = interrupt;
    this.device = Device.open("cpu:" + workers);
    try {
      this.data =
          DataSets.open(
              "omniglot:" + omniglot,
              DataOptions.DEFAULT.withOmniglotSplit(OmniglotSplit.SHUFFLED));
    } catch (RuntimeException | Error e) {
      device.close();
      throw e;
    }
  }

  /** What computes. */
  String device() {
    return device.description();
  }

  /** What the data is, and its hash. */
  String data() {
    return data.description() + " SHA-256 " + data.all().contentHash();
  }

  /** The result of a recipe: from the work folder if it is there, else trained and measured. */
  Result run(Recipe recipe, long seed) {
    try {
      Files.createDirectories(work);
    } catch (IOException e) {
      throw Failure.writing(work, e);
    }
    String name = "%s-s%d-i%d".formatted(recipe.key(), seed, recipe.iterations());
    Path file = work.resolve(name + "-e" + recipe.episodes() + ".json");
    if (Files.exists(file)) {
      console.notice(recipe.key() + ", seed " + seed + ": done before");
      return kept(file);
    }
    Model model = Conv4.strided(IMAGE, recipe.filters(), WAYS);
    Path trained = work.resolve(name + ".safetensors");
    try (Scope scope = Scope.open()) {
      if (!Files.exists(trained)) {
        train(recipe, model, seed, trained);
      }
      Safetensors.File saved = Safetensors.read(trained, scope);
      Tree<Tensor> weights = Safetensors.fit(trained.toString(), model.types(), saved.tensors());
      Result result = measure(recipe, model, weights, seed, seconds(trained, saved));
      AtomicFile.write(file, Json.pretty(result));
      return result;
    }
  }

  /**
   * A result of an earlier session.
   *
   * @throws CommandException exit 2, if the file is damaged
   */
  static Result kept(Path file) {
    Result result = Json.read(file, Result.class, "a result; delete it to measure again");
    if (!result.complete()) {
      throw CommandException.badInput(
          file + " is damaged: figures are missing; delete it to measure again");
    }
    return result;
  }

  private static double seconds(Path trained, Safetensors.File saved) {
    try {
      return Double.parseDouble(saved.metadata().getOrDefault("seconds", ""));
    } catch (NumberFormatException e) {
      throw CommandException.badInput(
          trained + " does not say how long its training took; delete it to train again", e);
    }
  }

  private void train(Recipe recipe, Model model, long seed, Path file) {
    Key key = Key.of(seed);
    long start = System.nanoTime();
    EpisodeSampler sampler =
        new EpisodeSampler(data.train(), WAYS, recipe.shots(), QUERIES, key.fold(2));
    try (Scope scope = Scope.open();
        MetaTrainer trainer =
            MetaTrainer.compile(
                device,
                recipe.method(model),
                model,
                sampler,
                TASKS,
                model.init(scope, key.fold(1)),
                Optimizers.adam(META_RATE),
                key.fold(3));
        Progress progress = start("train " + recipe.key(), recipe.iterations(), "steps")) {
      for (int i = 1; i <= recipe.iterations(); i++) {
        trainer.step();
        interrupt.check("finished recipes are kept in " + work);
        progress.at(i, Map.of("loss", trainer.loss(), "accuracy", trainer.accuracy()));
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      Safetensors.write(file, trainer.weights(), Map.of("seconds", Double.toString(seconds)));
    }
  }

  private Progress start(String task, long total, String unit) {
    return Progress.start(console, task, total, unit);
  }

  private Result measure(
      Recipe recipe, Model model, Tree<Tensor> weights, long seed, double trainSeconds) {
    long start = System.nanoTime();
    Rulebook rulebook = new Rulebook();
    Protocol protocol = Protocol.papers().at(FINE_TUNE);
    int few = Math.min(FEW, recipe.episodes());
    Map<String, Score> robust = new LinkedHashMap<>();
    Map<String, Score> other = new LinkedHashMap<>();
    Evaluation clean = null;
    double atZero = 0;
    try (Evaluator pgd = evaluator(recipe, model, protocol)) {
      for (int radius : Result.RADII) {
        Evaluation e = evaluate(pgd, recipe, weights, radius, recipe.episodes(), "pgd-10");
        clean = clean == null ? e : clean;
        rulebook.add(e, clean);
        robust.put(Integer.toString(radius), score(e.robust(FINE_TUNE)));
        if (radius == Recipe.TRAIN_EPS) {
          other.put("pgd-10", score(Accuracy.of(Arrays.copyOf(e.robust()[0], few))));
        }
      }
      Evaluation e = evaluate(pgd, recipe, weights, 0, few, "pgd-10");
      rulebook.add(e, clean);
      for (int i = 0; i < few; i++) {
        atZero = Math.max(atZero, Math.abs(e.robust()[0][i] - e.clean()[0][i]));
      }
    }
    Map<String, Protocol> others = new LinkedHashMap<>();
    for (String attack : new String[] {"fgsm", "pgd-40", "fgsm-rs"}) {
      others.put(attack, protocol.against(eps -> Attacks.named(attack, Attacks.Options.eps(eps))));
    }
    others.put("transfer", protocol.against(Protocol.Target.INITIAL));
    for (Map.Entry<String, Protocol> p : others.entrySet()) {
      try (Evaluator evaluator = evaluator(recipe, model, p.getValue())) {
        Evaluation e = evaluate(evaluator, recipe, weights, Recipe.TRAIN_EPS, few, p.getKey());
        rulebook.add(e, clean);
        other.put(p.getKey(), score(e.robust(FINE_TUNE)));
      }
    }
    IntrinsicDimension dimension =
        IntrinsicDimension.of(
            device, model, weights, data.test(), ID_CLASSES, ID_IMAGES, TEST_EPISODES.fold(2));
    Accuracy sa = clean.clean(FINE_TUNE);
    return new Result(
        recipe.key(),
        seed,
        recipe.iterations(),
        recipe.episodes(),
        trainSeconds,
        (System.nanoTime() - start) / 1e9,
        sa.mean(),
        sa.halfWidth(),
        robust,
        few,
        other,
        atZero,
        dimension.id90(),
        dimension.effectiveRank(),
        rulebook.excess,
        rulebook.images,
        rulebook.drift,
        machine);
  }

  private Evaluator evaluator(Recipe recipe, Model model, Protocol protocol) {
    EpisodeSampler sampler = new EpisodeSampler(data.test(), WAYS, 1, QUERIES, TEST_EPISODES);
    return Evaluator.compile(
        device, recipe.method(model).evaluation(), model, model.types(), sampler, protocol);
  }

  private Evaluation evaluate(
      Evaluator evaluator,
      Recipe recipe,
      Tree<Tensor> weights,
      int radius,
      int episodes,
      String attack) {
    String task = "%s under %s at %d/255".formatted(recipe.key(), attack, radius);
    try (Progress progress = start(task, episodes, "episodes")) {
      return evaluator.run(
          weights,
          episodes,
          radius / 255.0,
          TEST_ATTACK,
          CHECKED_IMAGES,
          done -> {
            interrupt.check("finished recipes are kept in " + work);
            progress.at(done);
          });
    }
  }

  private static Score score(Accuracy accuracy) {
    return new Score(accuracy.mean(), accuracy.halfWidth());
  }

  /** Whether attacks keep to the rules: inside ball and cube, and away from the support set. */
  private static final class Rulebook {
    private double excess = Double.NEGATIVE_INFINITY;
    private int images;
    private double drift;

    void add(Evaluation e, Evaluation clean) {
      for (Evaluation.Example x : e.examples()) {
        for (int i = 0; i < x.clean().length; i++) {
          double adv = x.adversarial()[i];
          double change = Math.abs(adv - x.clean()[i]);
          excess = Math.max(excess, Math.max(change - e.eps(), Math.max(-adv, adv - 1)));
        }
        images++;
      }
      for (int i = 0; i < e.episodes(); i++) {
        drift = Math.max(drift, Math.abs(e.clean()[0][i] - clean.clean()[0][i]));
      }
    }
  }

  @Override
  public void close() {
    device.close();
    data.close();
  }
}
