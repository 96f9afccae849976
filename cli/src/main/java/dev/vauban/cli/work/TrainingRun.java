package dev.vauban.cli.work;

import dev.vauban.cli.failure.DivergedException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.job.Training;
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.Pace;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.run.SessionClock;
import dev.vauban.meta.Learning;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * One session of meta-training in a run directory: from its latest checkpoint (or step 0) to the
 * last iteration, the time limit or an interrupt. The checkpoint holds all that the next step
 * depends on, and whether a step is validated depends on its number alone, so where sessions begin
 * and end leaves no trace in the weights, neither the last nor the best.
 *
 * <p>A step that is validated is saved before. A session that ends between the two leaves the
 * validation to the next one, which finds it missing in the metrics.
 */
final class TrainingRun implements AutoCloseable {
  private static final String LOSS_SUM = "loss_sum";
  private static final String LOSS_COUNT = "loss_count";

  private final Recipe recipe;
  private final Training training;
  private final int iterations;
  private final Pace pace;
  private final RunDirectory run;
  private final Session session;
  private final Learning trainer;
  private final Optional<Validation> validation;
  private final SessionClock clock = new SessionClock();
  private final BestWeights best;
  private final LastFigures last;
  private double lossSum;
  private int lossCount;

  /**
   * Compiles, and restores the latest checkpoint.
   *
   * @param provenance of the run, without this session
   * @throws dev.vauban.cli.failure.CommandException exit 2, if the run was begun with other data,
   *     or is beyond the iterations
   */
  TrainingRun(
      Device device,
      Recipe recipe,
      TrainingTasks tasks,
      Training training,
      RunDirectory run,
      Provenance provenance,
      Session session) {
    this.recipe = recipe;
    this.training = training;
    this.iterations = training.loop().iterations();
    this.pace = training.pace();
    this.run = run;
    this.session = session;
    run.requireData(provenance);
    run.requireWithin(iterations);
    this.best = BestWeights.of(run.folder());
    this.last = LastFigures.of(run.folder());
    this.trainer = recipe.learning(device, tasks.training(), training.loop());
    try {
      run.start().ifPresent(this::restore);
      run.begin(
          provenance.and(Provenance.Session.ofProcess(trainer.number(), session.arguments())));
      this.validation =
          tasks
              .validation()
              .map(c ->
                  new Validation(
                      device, recipe, c, training.loop(), training.validations(), session));
    } catch (RuntimeException | Error e) {
      trainer.close();
      throw e;
    }
  }

  private void restore(Checkpoint checkpoint) {
    try (Scope scope = Scope.open()) {
      Safetensors.File file =
          ModelFile.state(checkpoint.file(), recipe, trainer.stateTypes(), scope);
      trainer.restore(file.tensors());
      lossSum = Double.parseDouble(file.metadata().getOrDefault(LOSS_SUM, "0"));
      lossCount = Integer.parseInt(file.metadata().getOrDefault(LOSS_COUNT, "0"));
    }
  }

  /** Trains to the end of this session. */
  TrainResult train() {
    String task = "train " + recipe.method().name();
    try (Progress progress = Progress.start(session.console(), task, iterations, "it")) {
      if (validated() && last.validatedStep() < trainer.number()) {
        validate();
      }
      while (trainer.number() < iterations) {
        step();
        progress.at(trainer.number(), shown());
        boolean end = trainer.number() == iterations;
        boolean stop = session.interrupt().requested() || pace.isOver(clock);
        if (stop || end || validated() || due(pace.checkpointEvery())) {
          save();
        }
        session.interrupt().check(run.kept());
        if (stop && !end) {
          break;
        }
        if (validated()) {
          validate();
        }
      }
    }
    if (trainer.number() < iterations) {
      session
          .console()
          .notice(
              "time limit: stopped at step %d of %d; continue with --resume"
                  .formatted(trainer.number(), iterations));
    }
    return result();
  }

  /** Whether the present step is one that is validated. */
  private boolean validated() {
    return validation.isPresent() && trainer.number() > 0 && due(training.validateEvery());
  }

  private boolean due(int every) {
    return every > 0 && trainer.number() % every == 0;
  }

  private void step() {
    trainer.step();
    lossSum += trainer.loss();
    lossCount++;
    if (!Double.isFinite(trainer.loss())) {
      throw new DivergedException(
          "training has diverged: the meta-loss is %s at step %d; try a smaller --meta-rate; %s"
              .formatted(trainer.loss(), trainer.number(), run.kept()));
    }
    if (due(pace.logEvery()) || trainer.number() == iterations) {
      log();
    }
  }

  /**
   * Losses are means since the last line that was due; accuracies are those of the last meta-step's
   * tasks. A line that only the end of the run called for begins no new mean: the run may go on.
   */
  private void log() {
    Map<String, Double> values = new LinkedHashMap<>();
    last.loss(lossSum / lossCount);
    values.put("loss", lossSum / lossCount);
    values.put("train_clean", trainer.accuracy());
    trainer.robustAccuracy().ifPresent(a -> values.put("train_robust", a));
    values.put("seconds", clock.seconds());
    values.put("processor_seconds", clock.processorSeconds());
    run.log(trainer.number(), values);
    if (due(pace.logEvery())) {
      lossSum = 0;
      lossCount = 0;
    }
  }

  private Map<String, Double> shown() {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", trainer.loss());
    if (last.clean() != null) {
      values.put("clean", last.clean());
      values.put("robust", last.robust());
    }
    return values;
  }

  private void validate() {
    long step = trainer.number();
    Validation.Result result =
        validation.orElseThrow().of(recipe.judged(trainer.weights()), run.kept());
    // The line in the metrics is what says that the validation is done, so it comes last.
    best.offer(step, result.score(), trainer.weights(), facts());
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("clean", result.clean());
    values.put("robust", result.robust());
    run.log(step, values);
    last.validation(step, result.clean(), result.robust());
    session
        .console()
        .notice(
            String.format(
                Locale.ROOT,
                "step %d: validation %.1f%% clean, %.1f%% robust",
                step,
                100 * result.clean(),
                100 * result.robust()));
  }

  private void save() {
    run.save(
        trainer.number(),
        pace.keep(),
        file -> Safetensors.writeNew(file, trainer.state(), metadata()));
  }

  private Map<String, String> metadata() {
    Map<String, String> facts = facts();
    facts.put(LOSS_SUM, Double.toString(lossSum));
    facts.put(LOSS_COUNT, Integer.toString(lossCount));
    return facts;
  }

  private Map<String, String> facts() {
    Map<String, String> facts = ModelFile.metadata(recipe);
    facts.put("step", Long.toString(trainer.number()));
    return facts;
  }

  private TrainResult result() {
    return new TrainResult(
        run.folder().toString(),
        recipe.method().name(),
        trainer.number(),
        last.loss(),
        last.clean(),
        last.robust(),
        clock.seconds(),
        clock.processorSeconds());
  }

  @Override
  public void close() {
    validation.ifPresent(Validation::close);
    trainer.close();
  }
}
