package dev.vauban.cli.work;

import dev.vauban.cli.Version;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.job.Training;
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.meta.MetaTrainer;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One session of meta-training in a run directory: from its latest checkpoint (or step 0) to the
 * last iteration, the time limit or an interrupt. The checkpoint holds all that the next step
 * depends on, so where sessions begin and end leaves no trace in the weights.
 */
final class TrainingRun implements AutoCloseable {
  private static final String BEST_STEP = "best_step";
  private static final String BEST_SCORE = "best_score";
  private static final String LOSS_SUM = "loss_sum";
  private static final String LOSS_COUNT = "loss_count";

  private final Recipe recipe;
  private final Training training;
  private final RunDirectory run;
  private final Session session;
  private final MetaTrainer trainer;
  private final Optional<Validation> validation;
  private final long begun = System.nanoTime();
  private long saved;
  private long bestStep;
  private double bestScore = Double.NEGATIVE_INFINITY;
  private Validation.Result last;
  private double lossSum;
  private int lossCount;

  TrainingRun(
      Device device,
      Recipe recipe,
      DataRoles roles,
      Episodes episodes,
      Training training,
      RunDirectory run,
      Session session) {
    this.recipe = recipe;
    this.training = training;
    this.run = run;
    this.session = session;
    // Both samplers first: more ways than classes is said before minutes of compiling.
    EpisodeSampler tasks =
        DataRoles.sampler(roles.training(), episodes, Stream.EPISODES.key(training.seed()));
    Optional<EpisodeSampler> checks =
        roles
            .validation()
            .map(set ->
                DataRoles.sampler(set, episodes, Stream.VALIDATION_EPISODES.key(training.seed())));
    this.trainer = recipe.trainer(device, tasks, training);
    try {
      run.start().ifPresent(this::restore);
      provenance(device, roles, episodes);
      this.validation = checks.map(c -> new Validation(device, recipe, c, training, session));
    } catch (RuntimeException e) {
      trainer.close();
      throw e;
    }
  }

  private void restore(Checkpoint checkpoint) {
    try (Scope scope = Scope.open()) {
      Safetensors.File file =
          ModelFile.state(checkpoint.file(), recipe, trainer.stateTypes(), scope);
      trainer.restore(file.tensors());
      saved = trainer.number();
      if (file.metadata().containsKey(BEST_SCORE)) {
        bestStep = Long.parseLong(file.metadata().get(BEST_STEP));
        bestScore = Double.parseDouble(file.metadata().get(BEST_SCORE));
      }
      lossSum = Double.parseDouble(file.metadata().getOrDefault(LOSS_SUM, "0"));
      lossCount = Integer.parseInt(file.metadata().getOrDefault(LOSS_COUNT, "0"));
    }
  }

  private void provenance(Device device, DataRoles roles, Episodes episodes) {
    run.writeProvenance(
        new Provenance(
            Version.text(),
            training.seed(),
            episodes.data().toString(),
            roles.data().all().contentHash(),
            device.description(),
            List.of(Provenance.Session.ofProcess(trainer.number(), session.arguments()))));
  }

  /** Trains to the end of this session. */
  TrainResult train() {
    String task = "train " + recipe.method().name();
    try (Progress progress = Progress.start(session.console(), task, training.iterations(), "it")) {
      while (trainer.number() < training.iterations()) {
        step();
        progress.at(trainer.number(), shown());
        boolean end = trainer.number() == training.iterations();
        boolean stop = session.interrupt().requested() || outOfTime();
        if (!stop && (end || due(training.validateEvery()))) {
          validate();
        }
        if (stop || end || due(training.checkpointEvery())) {
          save();
        }
        session.interrupt().check(kept());
        if (stop) {
          break;
        }
      }
    }
    if (trainer.number() < training.iterations()) {
      session
          .console()
          .notice(
              "time limit: stopped at step %d of %d; continue with --resume"
                  .formatted(trainer.number(), training.iterations()));
    }
    return result();
  }

  private boolean due(int every) {
    return every > 0 && trainer.number() % every == 0;
  }

  private boolean outOfTime() {
    return training.maxMinutes() > 0 && seconds() >= 60 * training.maxMinutes();
  }

  private void step() {
    trainer.step();
    lossSum += trainer.loss();
    lossCount++;
    if (!Double.isFinite(trainer.loss())) {
      throw CommandException.failed(
          "training has diverged: the meta-loss is %s at step %d; try a smaller --meta-rate; %s"
              .formatted(trainer.loss(), trainer.number(), kept()),
          null);
    }
    if (due(training.logEvery()) || trainer.number() == training.iterations()) {
      log();
    }
  }

  /** Losses are means since the last line; accuracies are those of the last meta-step's tasks. */
  private void log() {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", lossSum / lossCount);
    values.put("train_clean", trainer.accuracy());
    trainer.robustAccuracy().ifPresent(a -> values.put("train_robust", a));
    values.put("seconds", seconds());
    run.log(trainer.number(), values);
    lossSum = 0;
    lossCount = 0;
  }

  private Map<String, Double> shown() {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", trainer.loss());
    if (last != null) {
      values.put("clean", last.clean());
      values.put("robust", last.robust());
    }
    return values;
  }

  private void validate() {
    if (validation.isEmpty()) {
      return;
    }
    last = validation.get().of(trainer.weights(), kept());
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("clean", last.clean());
    values.put("robust", last.robust());
    run.log(trainer.number(), values);
    session
        .console()
        .notice(
            String.format(
                Locale.ROOT,
                "step %d: validation %.1f%% clean, %.1f%% robust",
                trainer.number(),
                100 * last.clean(),
                100 * last.robust()));
    if (last.score() > bestScore) {
      bestScore = last.score();
      bestStep = trainer.number();
      AtomicFile.write(
          run.folder().resolve(ModelFile.BEST),
          file -> Safetensors.write(file, Tree.of("weights", trainer.weights()), metadata()));
    }
  }

  private void save() {
    run.save(
        trainer.number(),
        training.keep(),
        file -> Safetensors.write(file, trainer.state(), metadata()));
    saved = trainer.number();
  }

  private Map<String, String> metadata() {
    Map<String, String> facts = ModelFile.metadata(recipe);
    facts.put("step", Long.toString(trainer.number()));
    facts.put(LOSS_SUM, Double.toString(lossSum));
    facts.put(LOSS_COUNT, Integer.toString(lossCount));
    if (bestStep > 0) {
      facts.put(BEST_STEP, Long.toString(bestStep));
      facts.put(BEST_SCORE, Double.toString(bestScore));
    }
    return facts;
  }

  private String kept() {
    return saved == 0
        ? "no checkpoint was due yet"
        : "the checkpoint of step " + saved + " is kept";
  }

  private double seconds() {
    return (System.nanoTime() - begun) / 1e9;
  }

  private TrainResult result() {
    return new TrainResult(
        run.folder().toString(),
        recipe.method().name(),
        trainer.number(),
        trainer.loss(),
        last == null ? null : last.clean(),
        last == null ? null : last.robust(),
        seconds());
  }

  @Override
  public void close() {
    validation.ifPresent(Validation::close);
    trainer.close();
  }
}
