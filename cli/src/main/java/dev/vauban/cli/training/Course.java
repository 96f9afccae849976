package dev.vauban.cli.training;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.DivergedException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.Pace;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.run.SessionClock;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One session of a training in a run directory: from its latest checkpoint (or step 0) to the last
 * step, the time limit or an interrupt. Figures are logged as means since the line before; a
 * checkpoint holds what has been summed up so far, so where sessions begin and end leaves no trace,
 * neither in the weights nor in the metrics.
 */
public final class Course {
  private static final String FORMAT = "format";
  private static final String LOSS_COUNT = "loss_count";
  private static final String SUM = "loss:";

  private final String task;
  private final int steps;
  private final RunDirectory run;
  private final Pace pace;
  private final Session session;
  private final SessionClock clock = new SessionClock();
  private final Map<String, Double> sums = new LinkedHashMap<>();
  private final Map<String, Double> last = new LinkedHashMap<>();
  private int count;

  /** What is trained. */
  public interface Trainee {
    /** Steps taken, over all sessions. */
    long number();

    /** Begins at step 0. */
    void start();

    /**
     * Goes on from a checkpoint.
     *
     * @param checkpoint which
     * @param content what it holds
     */
    void restore(Checkpoint checkpoint, Safetensors.File content);

    /** Takes a step; its figures, the loss first. */
    Map<String, Double> step();

    /** Names of the figures to show while training. */
    List<String> shown();

    /** Whether a stage ends with this step: means are not taken over its end. */
    default boolean endsStage(long step) {
      return false;
    }

    /** All of the state now. */
    Tree<Tensor> state();

    /** What its checkpoints call themselves, and no others. */
    String format();

    /** What else a checkpoint says of itself. */
    default Map<String, String> facts() {
      return Map.of();
    }

    /** What to try where the loss is not finite, as in {@code try a smaller --rate}. */
    String remedy();
  }

  /**
   * A session.
   *
   * @param task for the progress, for example {@code lft train}
   * @param steps in all, over all sessions
   * @throws CommandException exit 2, if the run was begun with other images than those of {@code
   *     provenance}, or is beyond the steps
   */
  public Course(
      String task, int steps, RunDirectory run, Pace pace, Provenance provenance, Session session) {
    this.task = task;
    this.steps = steps;
    this.run = run;
    this.pace = pace;
    this.session = session;
    run.requireData(provenance);
    run.requireWithin(steps);
  }

  /** Lets the trainee begin where the run stands, and notes who goes on with it. */
  public void begin(Trainee trainee, Provenance provenance) {
    run.start().ifPresentOrElse(checkpoint -> restore(trainee, checkpoint), trainee::start);
    run.begin(provenance.and(Provenance.Session.ofProcess(trainee.number(), session.arguments())));
  }

  private void restore(Trainee trainee, Checkpoint checkpoint) {
    try (Scope scope = Scope.open()) {
      Safetensors.File file = read(checkpoint.file(), trainee.format(), task, scope);
      trainee.restore(checkpoint, file);
      count = Integer.parseInt(file.metadata().getOrDefault(LOSS_COUNT, "0"));
      file.metadata()
          .forEach((name, value) -> {
            if (name.startsWith(SUM)) {
              sums.put(name.substring(SUM.length()), Double.parseDouble(value));
            }
          });
    }
    for (MetricsLog.Line line : MetricsLog.read(RunDirectory.metricsOf(run.folder()))) {
      last.putAll(line.values());
    }
  }

  /**
   * Reads a checkpoint of a training.
   *
   * @param format that its trainee has
   * @param task that trains such, for example {@code lft train}
   * @throws CommandException exit 2, if it is another training's
   */
  public static Safetensors.File read(Path file, String format, String task, Scope scope) {
    Safetensors.File content = Safetensors.read(file, scope);
    if (!format.equals(content.metadata().get(FORMAT))) {
      throw CommandException.badInput(
          "%s is no checkpoint of 'vauban %s'; give a run of that command".formatted(file, task));
    }
    return content;
  }

  /** Takes the steps of this session. */
  public void run(Trainee trainee) {
    try (Progress progress = Progress.start(session.console(), task, steps, "it")) {
      while (trainee.number() < steps) {
        Map<String, Double> figures = step(trainee);
        figures.keySet().retainAll(trainee.shown());
        progress.at(trainee.number(), figures);
        boolean end = trainee.number() == steps;
        boolean stop = session.interrupt().requested() || pace.isOver(clock);
        if (stop || end || trainee.number() % pace.checkpointEvery() == 0) {
          save(trainee);
        }
        session.interrupt().check(run.kept());
        if (stop && !end) {
          session
              .console()
              .notice(
                  "time limit: stopped at step %d of %d; continue with --resume"
                      .formatted(trainee.number(), steps));
          break;
        }
      }
    }
  }

  private Map<String, Double> step(Trainee trainee) {
    Map<String, Double> figures = new LinkedHashMap<>(trainee.step());
    double loss = figures.values().iterator().next();
    if (!Double.isFinite(loss)) {
      throw new DivergedException(
          "training has diverged: the loss is %s at step %d; %s; %s"
              .formatted(loss, trainee.number(), trainee.remedy(), run.kept()));
    }
    count++;
    figures.forEach((name, value) -> sums.merge(name, value, Double::sum));
    boolean due = trainee.number() % pace.logEvery() == 0 || trainee.endsStage(trainee.number());
    if (due || trainee.number() == steps) {
      log(trainee.number());
    }
    if (due) { // a line that only the end of the run called for begins no new mean: it may go on
      sums.clear();
      count = 0;
    }
    return figures;
  }

  private void log(long step) {
    Map<String, Double> values = new LinkedHashMap<>();
    sums.forEach((name, sum) -> values.put(name, sum / count));
    values.put("seconds", clock.seconds());
    run.log(step, values);
    last.putAll(values);
  }

  private void save(Trainee trainee) {
    Map<String, String> facts = new LinkedHashMap<>(trainee.facts());
    facts.put(FORMAT, trainee.format());
    facts.put("step", Long.toString(trainee.number()));
    facts.put(LOSS_COUNT, Integer.toString(count));
    sums.forEach((name, sum) -> facts.put(SUM + name, Double.toString(sum)));
    run.save(
        trainee.number(), pace.keep(), file -> Safetensors.writeNew(file, trainee.state(), facts));
  }

  /** The run's folder. */
  public Path folder() {
    return run.folder();
  }

  /** A figure of the last metrics line that has it, whichever session wrote it; null for none. */
  public Double last(String name) {
    return last.get(name);
  }

  /** How long this session has worked. */
  public SessionClock clock() {
    return clock;
  }
}
