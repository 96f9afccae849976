package dev.vauban.cli.tuning;

import dev.vauban.cli.Version;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerDesign;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.TunerTraining;
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.run.SessionClock;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One session of a tuner's meta-training in a run directory: from its latest checkpoint (or step 0)
 * to the last iteration, the time limit or an interrupt. Where sessions begin and end leaves no
 * trace in the weights.
 */
final class TunerRun implements AutoCloseable {
  private static final String LOSS_COUNT = "loss_count";

  private final TunerTraining training;
  private final RunDirectory run;
  private final Session session;
  private final List<Problems> families;
  private final TunerTrainer trainer;
  private final SessionClock clock = new SessionClock();
  private final Map<String, Double> sums = new LinkedHashMap<>();
  private int count;
  private Double lastLoss;
  private long saved;

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
    this.run = run;
    this.session = session;
    this.families =
        sources.stream()
            .<Problems>map(s -> s.training(Purpose.TRAINING_TASKS.key(training.seed())))
            .toList();
    Provenance provenance = provenance(device, sources);
    refuseOtherData(provenance);
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
      run.start().ifPresent(this::restore);
      run.writeProvenance(
          provenance.and(Provenance.Session.ofProcess(trainer.number(), session.arguments())));
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

  private void refuseOtherData(Provenance now) {
    if (!Files.exists(RunDirectory.provenanceOf(run.folder()))) {
      return;
    }
    if (!now.dataSha256().equals(RunDirectory.provenance(run.folder()).dataSha256())) {
      throw CommandException.badInput(
          "the images of %s have changed since the run in %s was begun; put the data back or start a"
                  .formatted(now.data(), run.folder())
              + " new run");
    }
  }

  private void restore(Checkpoint checkpoint) {
    try (Scope scope = Scope.open()) {
      Safetensors.File file = Safetensors.read(checkpoint.file(), scope);
      trainer.restore(
          Safetensors.fit(checkpoint.file().toString(), trainer.stateTypes(), file.tensors()));
      saved = trainer.number();
      count = Integer.parseInt(file.metadata().getOrDefault(LOSS_COUNT, "0"));
      file.metadata()
          .forEach((name, value) -> {
            if (name.startsWith("loss:")) {
              sums.put(name.substring(5), Double.parseDouble(value));
            }
          });
    }
    for (MetricsLog.Line line : MetricsLog.read(RunDirectory.metricsOf(run.folder()))) {
      lastLoss = line.values().getOrDefault("loss", lastLoss);
    }
  }

  /** Trains to the end of this session. */
  TunerResult train() {
    try (Progress progress =
        Progress.start(session.console(), "lft train", training.iterations(), "it")) {
      while (trainer.number() < training.iterations()) {
        step();
        progress.at(trainer.number(), Map.of("loss", trainer.loss()));
        boolean end = trainer.number() == training.iterations();
        boolean stop = session.interrupt().requested() || outOfTime();
        if (stop || end || trainer.number() % training.checkpointEvery() == 0) {
          save();
        }
        session.interrupt().check(kept());
        if (stop && !end) {
          session
              .console()
              .notice(
                  "time limit: stopped at step %d of %d; continue with --resume"
                      .formatted(trainer.number(), training.iterations()));
          break;
        }
      }
    }
    return new TunerResult(
        run.folder().toString(),
        families.stream().map(Problems::name).toList(),
        training.unroll().judged().name().toLowerCase(Locale.ROOT).replace('_', '-'),
        trainer.number(),
        lastLoss,
        clock.seconds(),
        clock.processorSeconds());
  }

  private boolean outOfTime() {
    return training.maxMinutes() > 0 && clock.seconds() >= 60 * training.maxMinutes();
  }

  private void step() {
    trainer.step();
    if (!Double.isFinite(trainer.loss())) {
      throw CommandException.failed(
          "training has diverged: the meta-loss is %s at step %d; try a smaller --meta-rate; %s"
              .formatted(trainer.loss(), trainer.number(), kept()),
          null);
    }
    count++;
    sums.merge("loss", trainer.loss(), Double::sum);
    families.forEach(f -> sums.merge("loss_" + f.name(), trainer.loss(f), Double::sum));
    boolean due = trainer.number() % training.logEvery() == 0;
    if (due || trainer.number() == training.iterations()) {
      Map<String, Double> values = new LinkedHashMap<>();
      sums.forEach((name, sum) -> values.put(name, sum / count));
      values.put("seconds", clock.seconds());
      run.log(trainer.number(), values);
      lastLoss = values.get("loss");
      if (due) {
        sums.clear();
        count = 0;
      }
    }
  }

  private void save() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("format", "vauban-tuner");
    facts.put("step", Long.toString(trainer.number()));
    facts.put(LOSS_COUNT, Integer.toString(count));
    sums.forEach((name, sum) -> facts.put("loss:" + name, Double.toString(sum)));
    run.save(
        trainer.number(),
        training.keep(),
        file -> Safetensors.writeNew(file, trainer.state(), facts));
    saved = trainer.number();
  }

  private String kept() {
    return saved == 0
        ? "no checkpoint was due yet"
        : "the checkpoint of step " + saved + " is kept";
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
    Safetensors.File file = Safetensors.read(latest.file(), scope);
    if (!"vauban-tuner".equals(file.metadata().get("format"))) {
      throw CommandException.badInput(
          latest.file() + " holds no learned tuner; give a run of 'vauban lft train'");
    }
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
