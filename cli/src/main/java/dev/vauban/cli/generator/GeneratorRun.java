package dev.vauban.cli.generator;

import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.MiFgsm;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.GeneratorTraining;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.training.Course;
import dev.vauban.meta.generator.Adaptation;
import dev.vauban.meta.generator.Generator;
import dev.vauban.meta.generator.Imitation;
import dev.vauban.meta.generator.Lesson;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A generator in training: the steps of the first stage, then those of the second, which begins
 * with the weights that the first ended with and an optimiser of its own.
 */
final class GeneratorRun implements Course.Trainee, AutoCloseable {
  private static final String FORMAT = "vauban-generator-training";
  private static final String STAGE = "stage";

  private final Device device;
  private final GeneratorTraining training;
  private final ImageSet images;
  private final Generator generator;
  private final Ensemble ensemble;
  private TrainingStep trainer;
  private Stage stage;

  private enum Stage {
    IMITATION,
    ADAPTATION;

    static Stage of(String label, String source) {
      return Stream.of(values())
          .filter(stage -> stage.label().equals(label))
          .findFirst()
          .orElseThrow(() ->
              CommandException.badInput(
                  source + " is damaged: it does not say which stage of the training it is of"));
    }

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What the steps of a stage are made of.
   *
   * @param batch images of a step
   * @param rate Adam's
   * @param batches what the batches are drawn with
   * @param draws what all else is drawn with
   */
  private record Steps(Lesson lesson, int batch, double rate, Purpose batches, Purpose draws) {}

  /**
   * Compiles nothing yet.
   *
   * @param images to learn from
   */
  GeneratorRun(
      Device device,
      GeneratorTraining training,
      ImageSet images,
      Generator generator,
      Ensemble ensemble) {
    this.device = device;
    this.training = training;
    this.images = images;
    this.generator = generator;
    this.ensemble = ensemble;
  }

  @Override
  public void start() {
    try (Scope scope = Scope.open()) {
      begin(
          training.imitation().steps() > 0 ? Stage.IMITATION : Stage.ADAPTATION,
          Weight.init(generator.weights(), scope, Purpose.WEIGHTS.key(training.seed())));
    }
  }

  @Override
  public void restore(Checkpoint checkpoint, Safetensors.File content) {
    String source = checkpoint.file().toString();
    Stage saved = Stage.of(content.metadata().get(STAGE), source);
    Tree<Tensor> weights =
        Safetensors.fit(
            source, Weight.types(generator.weights()), content.tensors().sub("weights"));
    if (saved == Stage.IMITATION && isFollowed(checkpoint.step())) {
      begin(Stage.ADAPTATION, weights);
    } else {
      begin(saved, weights);
      trainer.restore(Safetensors.fit(source, trainer.stateTypes(), content.tensors()));
    }
  }

  /** Whether the first stage is over and there is a second. */
  private boolean isFollowed(long step) {
    return endsStage(step) && training.adaptation().steps() > 0;
  }

  private void begin(Stage next, Tree<Tensor> weights) {
    stage = next;
    Steps steps = steps(next);
    TrainingStep before = trainer;
    trainer =
        steps
            .lesson()
            .compile(
                device,
                images,
                steps.batch(),
                weights,
                ensemble.weights(),
                Optimizers.adam(steps.rate()),
                steps.batches().key(training.seed()),
                steps.draws().key(training.seed()));
    if (before != null) {
      before.close();
    }
  }

  private Steps steps(Stage which) {
    return switch (which) {
      case IMITATION -> {
        GeneratorTraining.Imitation how = training.imitation();
        MiFgsm attack = new MiFgsm(new Linf(training.eps()), how.attackSteps());
        yield new Steps(
            new Imitation(generator, ensemble.surrogates(), attack, training.eps()),
            how.batch(),
            how.rate(),
            Purpose.IMITATION_BATCHES,
            Purpose.IMITATION);
      }
      case ADAPTATION -> {
        GeneratorTraining.Adaptation how = training.adaptation();
        yield new Steps(
            new Adaptation(
                generator,
                ensemble.surrogates(),
                training.eps(),
                how.kappa(),
                how.innerSteps(),
                how.innerRate()),
            how.tasks(),
            how.rate(),
            Purpose.ADAPTATION_BATCHES,
            Purpose.ADAPTATION);
      }
    };
  }

  @Override
  public long number() {
    return trainer.number() + (stage == Stage.ADAPTATION ? training.imitation().steps() : 0);
  }

  @Override
  public Map<String, Double> step() {
    if (stage == Stage.IMITATION && isFollowed(number())) {
      begin(Stage.ADAPTATION, trainer.weights());
    }
    trainer.run();
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put(stage.label() + "_loss", trainer.metrics().get("loss").get(0));
    trainer
        .metrics()
        .paths()
        .forEach((name, value) -> {
          if (!name.equals("loss")) {
            figures.put(name, value.get(0));
          }
        });
    return figures;
  }

  @Override
  public List<String> shown() {
    return List.of(Stage.IMITATION.label() + "_loss", Stage.ADAPTATION.label() + "_loss", "fooled");
  }

  @Override
  public boolean endsStage(long step) {
    return step == training.imitation().steps();
  }

  /** The generator's weights now. */
  Tree<Tensor> weights() {
    return trainer.weights();
  }

  @Override
  public Tree<Tensor> state() {
    return trainer.state();
  }

  @Override
  public String format() {
    return FORMAT;
  }

  @Override
  public Map<String, String> facts() {
    return Map.of(STAGE, stage.label());
  }

  @Override
  public String remedy() {
    return stage == Stage.IMITATION ? "try a smaller --rate" : "try a smaller --meta-rate";
  }

  @Override
  public void close() {
    if (trainer != null) {
      trainer.close();
    }
  }
}
