package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.Scale;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.DivergedException;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.reproduce.Table.Figure;
import dev.vauban.cli.reproduce.Table.Line;
import dev.vauban.cli.reproduce.Table.Measure;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Fills a table: trains each method into a run directory of its own, then evaluates it. What is
 * done is kept in {@code results.json}; a reproduction that was stopped goes on where it was, in
 * the middle of a training too.
 */
public final class Reproduction {
  private static final String RESULTS = "results.json";

  /** How {@code vauban train} and {@code vauban eval} are run. */
  public interface Commands {
    /** Runs {@code train} with these arguments. */
    TrainResult train(List<String> arguments);

    /** Runs {@code eval} with these arguments. */
    Evaluation eval(List<String> arguments);
  }

  /**
   * What a reproduction has so far: the content of {@code results.json}.
   *
   * @param table its name
   * @param scale its scale
   * @param settings what the user set beyond the table, by name
   * @param trained how long each finished training took, by line
   * @param figures in the order in which they were measured
   */
  public record Results(
      String table,
      String scale,
      Map<String, String> settings,
      Map<String, Took> trained,
      List<Figure> figures) {}

  /**
   * How long a training took, all sessions together.
   *
   * @param seconds wall time
   * @param processorSeconds of all threads
   */
  public record Took(double seconds, double processorSeconds) {
    static final Took NOTHING = new Took(0, 0);

    Took plus(Took other) {
      return new Took(seconds + other.seconds, processorSeconds + other.processorSeconds);
    }
  }

  /**
   * How a reproduction ended.
   *
   * @param results what was measured
   * @param stopped lines whose training diverged, with the reason. The same command tries them
   *     again from their last checkpoint, but a device that computes the same bits comes to the
   *     same end: what helps is a smaller meta-rate, into another folder
   */
  public record Outcome(Results results, Map<String, String> stopped) {}

  private final Table table;
  private final Scale scale;
  private final List<Line> lines;
  private final Map<String, String> own;
  private final Path folder;
  private final Commands commands;
  private final Console console;
  private final Map<String, String> stopped = new LinkedHashMap<>();
  private double trainingSeconds;
  private int trainings;
  private double evaluationSeconds;
  private int evaluations;

  /**
   * A reproduction.
   *
   * @param lines those of the table's to fill
   * @param own settings that stand above the table's: of training and evaluation
   * @param folder where runs and results are kept
   */
  public Reproduction(
      Table table,
      Scale scale,
      List<Line> lines,
      Map<String, String> own,
      Path folder,
      Commands commands,
      Console console) {
    this.table = table;
    this.scale = scale;
    this.lines = List.copyOf(lines);
    this.own = Collections.unmodifiableMap(new LinkedHashMap<>(own));
    this.folder = folder;
    this.commands = commands;
    this.console = console;
  }

  /**
   * Does what is not done yet. A training that diverges is left out; the others go on.
   *
   * @throws CommandException exit 2, if the folder holds another table, scale or settings
   */
  public Outcome run() {
    Results results = load();
    for (Line line : lines) {
      Path run = folder.resolve(line.label().replaceAll("[^A-Za-z0-9+]+", "-"));
      if (!results.trained().containsKey(line.label()) && !train(line, run, results)) {
        continue;
      }
      for (Measure measure : table.measures()) {
        if (!done(results, line, measure)) {
          say(results, line.label() + ": " + measure.label());
          long started = System.nanoTime();
          results.figures().addAll(evaluate(line, measure, run, results));
          evaluationSeconds += (System.nanoTime() - started) / 1e9;
          evaluations++;
          save(results);
        }
      }
    }
    return new Outcome(results, stopped);
  }

  /** Whether it was trained to its end. */
  private boolean train(Line line, Path run, Results results) {
    say(results, line.label() + ": training");
    long started = System.nanoTime();
    try {
      results.trained().put(line.label(), train(line, run));
    } catch (DivergedException e) {
      stopped.put(line.label(), e.getMessage());
      console.notice(line.label() + ": " + e.getMessage());
      return false;
    }
    trainingSeconds += (System.nanoTime() - started) / 1e9;
    trainings++;
    save(results);
    return true;
  }

  private static boolean done(Results results, Line line, Measure measure) {
    return results.figures().stream()
        .anyMatch(f -> f.line().equals(line.label()) && of(measure, f.measure()));
  }

  /** Whether a figure's label is the measure's, perhaps with a number of steps. */
  private static boolean of(Measure measure, String label) {
    return label.equals(measure.label())
        || label.matches(Pattern.quote(measure.label()) + ", \\d+ steps");
  }

  /** Where we are, and how long it will take by the means of what this session did so far. */
  private void say(Results results, String what) {
    int toTrain = 0;
    int toEvaluate = 0;
    for (Line line : lines) {
      boolean trainable = !stopped.containsKey(line.label());
      toTrain += trainable && !results.trained().containsKey(line.label()) ? 1 : 0;
      for (Measure measure : table.measures()) {
        toEvaluate += trainable && !done(results, line, measure) ? 1 : 0;
      }
    }
    int work = lines.size() * (1 + table.measures().size());
    String estimate = "";
    if ((toTrain == 0 || trainings > 0) && (toEvaluate == 0 || evaluations > 0)) {
      double seconds =
          toTrain * trainingSeconds / Math.max(1, trainings)
              + toEvaluate * evaluationSeconds / Math.max(1, evaluations);
      estimate = String.format(Locale.ROOT, ", about %.0f min left", Math.ceil(seconds / 60));
    }
    console.notice(
        "%s: %d of %d, %s%s"
            .formatted(table.name(), work - toTrain - toEvaluate + 1, work, what, estimate));
  }

  private Took train(Line line, Path run) {
    List<String> arguments = new ArrayList<>(List.of("train", "--out", run.toString()));
    Took before = Took.NOTHING;
    if (Files.exists(RunDirectory.configOf(run))) {
      arguments.add("--resume");
      before =
          RunDirectory.latest(run).map(Checkpoint::step).orElse(0L) > 0 ? earlier(run) : before;
    } else {
      Map<String, String> settings = new LinkedHashMap<>(table.training(scale, line));
      settings.putAll(
          own("iterations", "meta-rate", "filters", "data", "seed", "workers", "device"));
      if ("conv4-cifarfs".equals(settings.get("model"))) {
        settings.remove("filters");
      }
      if (line.method().order().isPresent()) {
        settings.remove("order");
      }
      settings.forEach((name, value) -> arguments.addAll(List.of("--" + name, value)));
    }
    TrainResult result = commands.train(arguments);
    return before.plus(new Took(result.seconds(), result.processorSeconds()));
  }

  /** What the sessions before this one wrote down last; the clock begins anew in each. */
  private static Took earlier(Path run) {
    Took ended = Took.NOTHING;
    Took last = Took.NOTHING;
    for (MetricsLog.Line line : MetricsLog.read(RunDirectory.metricsOf(run))) {
      Map<String, Double> values = line.values();
      if (values.containsKey("seconds")) {
        Took now = new Took(values.get("seconds"), values.getOrDefault("processor_seconds", 0.0));
        ended = now.seconds() < last.seconds() ? ended.plus(last) : ended;
        last = now;
      }
    }
    return ended.plus(last);
  }

  private List<Figure> evaluate(Line line, Measure measure, Path run, Results results) {
    Map<String, String> settings = new LinkedHashMap<>(table.evaluating(scale, measure));
    settings.putAll(own("episodes", "seed", "workers", "device"));
    List<String> arguments = new ArrayList<>(List.of("eval", run.toString()));
    settings.forEach((name, value) -> arguments.addAll(List.of("--" + name, value)));
    Evaluation evaluation = commands.eval(arguments);
    boolean several = evaluation.rows().size() > 1;
    Evaluation.Dimension d =
        evaluation.dimensions().isEmpty() ? null : evaluation.dimensions().getFirst();
    Evaluation.Linear l = evaluation.linear().isEmpty() ? null : evaluation.linear().getFirst();
    return evaluation.rows().stream()
        .map(row ->
            new Figure(
                line.label(),
                several ? measure.label() + ", " + row.steps() + " steps" : measure.label(),
                row.steps(),
                row.episodes(),
                row.clean(),
                row.cleanCi(),
                row.robust(),
                row.robustCi(),
                d == null ? null : d.clean(),
                d == null ? null : d.attacked(),
                l == null ? null : l.clean(),
                l == null ? null : l.robust(),
                results.trained().get(line.label()).seconds(),
                results.trained().get(line.label()).processorSeconds(),
                row.seconds()))
        .toList();
  }

  private Map<String, String> own(String... names) {
    Map<String, String> some = new LinkedHashMap<>();
    for (String name : names) {
      if (own.containsKey(name)) {
        some.put(name, own.get(name));
      }
    }
    return some;
  }

  private Results load() {
    Path file = folder.resolve(RESULTS);
    if (!Files.exists(file)) {
      return new Results(
          table.name(), scale.label(), own, new LinkedHashMap<>(), new ArrayList<>());
    }
    Results before = Json.read(file, Results.class, "a reproduction");
    Map<String, String> old = new LinkedHashMap<>(before.settings());
    Map<String, String> now = new LinkedHashMap<>(own);
    old.remove("workers");
    now.remove("workers");
    if (!before.table().equals(table.name())
        || !before.scale().equals(scale.label())
        || !old.equals(now)) {
      throw CommandException.badInput(
          "%s holds %s at scale %s with settings %s; choose another --out"
              .formatted(folder, before.table(), before.scale(), before.settings()));
    }
    return new Results(
        before.table(),
        before.scale(),
        own,
        new LinkedHashMap<>(before.trained()),
        new ArrayList<>(before.figures()));
  }

  private void save(Results results) {
    AtomicFile.write(folder.resolve(RESULTS), Json.pretty(results) + "\n");
  }
}
