package dev.vauban.cli.tuning;

import dev.vauban.cli.Version;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerDesign;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.TunerTraining;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.training.Course;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.Problems;
import dev.vauban.meta.tuning.TunerTrainer;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** One session of a tuner's meta-training in a run directory. */
final class TunerRun implements Course.Trainee, AutoCloseable {
  private static final String TASK = "lft train";
  private static final String FORMAT = "vauban-tuner";

  private final TunerTraining training;
  private final Course course;
  private final List<Problems> families;
  private final TunerTrainer trainer;

  /**
   * Compiles, and restores the latest checkpoint.
   *
   * @throws CommandException exit 2, if the run was begun with other images
   */
  TunerRun(
      Device device,
      List<AttackSource> sources,
      TunerDesign design,
      Gradients gradients,
      TunerTraining training,
      RunDirectory run,
      Session session) {
    this.training = training;
    this.families =
        sources.stream()
            .<Problems>map(s -> s.training(Purpose.TRAINING_TASKS.key(training.seed())))
            .toList();
    Provenance provenance = provenance(device, sources);
    this.course =
        new Course(TASK, training.iterations(), run, training.pace(), provenance, session);
    Tuner tuner = design.tuner();
    Optimizer adam = Optimizers.adam(training.metaRate());
    try (Scope scope = Scope.open()) {
      this.trainer =
          TunerTrainer.compile(
              device,
              tuner,
              families,
              training.tasks(),
              training.unroll(),
              gradients,
              Weight.init(tuner.weights(), scope, Purpose.WEIGHTS.key(training.seed())),
              training.clip() > 0 ? adam.clippedByNorm(training.clip()) : adam,
              Purpose.TRAINING.key(training.seed()));
    }
    try {
      course.begin(this, provenance);
    } catch (RuntimeException | Error e) {
      trainer.close();
      throw e;
    }
  }

  private Provenance provenance(Device device, List<AttackSource> sources) {
    return new Provenance(
        Version.text(),
        training.seed(),
        sources.stream().map(s -> s.source().data().toString()).collect(Collectors.joining(",")),
        sources.stream().map(AttackSource::dataHash).collect(Collectors.joining(" ")),
        device.description(),
        List.of());
  }

  @Override
  public long number() {
    return trainer.number();
  }

  @Override
  public void start() {
    // It was compiled to begin at step 0.
  }

  @Override
  public void restore(Checkpoint checkpoint, Safetensors.File content) {
    trainer.restore(
        Safetensors.fit(checkpoint.file().toString(), trainer.stateTypes(), content.tensors()));
  }

  @Override
  public Map<String, Double> step() {
    trainer.step();
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", trainer.loss());
    families.forEach(f -> figures.put("loss_" + f.name(), trainer.loss(f)));
    return figures;
  }

  @Override
  public List<String> shown() {
    return List.of("loss");
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
  public String remedy() {
    return "try a smaller --meta-rate";
  }

  /** Trains to the end of this session. */
  TunerResult train() {
    course.run(this);
    return new TunerResult(
        course.folder().toString(),
        families.stream().map(Problems::name).toList(),
        training.unroll().judged().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        trainer.number(),
        course.last("loss"),
        course.clock().seconds(),
        course.clock().processorSeconds());
  }

  /**
   * The weights of the tuner that a run has trained.
   *
   * @param folder the run
   * @throws CommandException exit 2, if there is no checkpoint or it is of another design
   */
  static Tree<Tensor> weights(Path folder, TunerDesign design, Scope scope) {
    Checkpoint latest =
        RunDirectory.latest(folder)
            .orElseThrow(() ->
                CommandException.badInput(
                    folder
                        + " has no checkpoint yet; continue it with 'vauban lft train --resume'"));
    Safetensors.File file = Course.read(latest.file(), FORMAT, TASK, scope);
    return Safetensors.fit(
        latest.file().toString(),
        Weight.types(design.tuner().weights()),
        file.tensors().sub("weights"));
  }

  @Override
  public void close() {
    trainer.close();
  }
}
