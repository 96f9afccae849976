package dev.vauban.cli.reproduce;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.reproduce.UniversalTable.Line;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Fills the table of learned fine-tuners: trains each line, tests it on each source. What is done
 * is kept in {@code results.json}; a reproduction that was stopped goes on where it was, in the
 * middle of a training too.
 */
public final class UniversalReproduction {
  private static final String RESULTS = "results.json";

  /** How {@code vauban lft train} and {@code vauban lft attack} are run. */
  public interface Commands {
    /** Runs {@code lft train} with these arguments. */
    TunerResult train(List<String> arguments);

    /** Runs {@code lft attack} with these arguments. */
    TunerComparison attack(List<String> arguments);
  }

  /**
   * What a reproduction has so far: the content of {@code results.json}.
   *
   * @param table its name
   * @param scale its scale
   * @param settings what the user set beyond the table, by name
   * @param sources the three sources
   * @param trained each finished training, by line
   * @param tests in the order in which they were made
   */
  public record Results(
      String table,
      String scale,
      Map<String, String> settings,
      List<String> sources,
      Map<String, TunerResult> trained,
      List<Test> tests) {
    /** The test of a line on a source (its index); null if it was not made. */
    UniversalEvaluation test(String line, int source) {
      return tests.stream()
          .filter(t -> t.line().equals(line) && t.source() == source)
          .findFirst()
          .map(Test::evaluation)
          .orElse(null);
    }
  }

  /**
   * One test.
   *
   * @param line the tuner
   * @param source index of the source
   * @param evaluation what came out
   */
  public record Test(String line, int source, UniversalEvaluation evaluation) {}

  private final UniversalTable table;
  private final Map<String, String> own;
  private final Path folder;
  private final Commands commands;
  private final Console console;

  /**
   * A reproduction.
   *
   * @param own settings that stand above the table's: iterations, tasks, seed, workers, device
   * @param folder where runs, victims and results are kept
   */
  public UniversalReproduction(
      UniversalTable table,
      Map<String, String> own,
      Path folder,
      Commands commands,
      Console console) {
    this.table = table;
    this.own = new LinkedHashMap<>(own);
    this.folder = folder;
    this.commands = commands;
    this.console = console;
  }

  /**
   * Does what is not done yet.
   *
   * @throws CommandException exit 2, if the folder holds another table, scale or settings
   */
  public Results run() {
    Results results = load();
    for (Line line : table.lines()) {
      Path run = folder.resolve(line.label().replaceAll("[^A-Za-z0-9]+", "-"));
      if (!results.trained().containsKey(line.label())) {
        console.notice(UniversalTable.NAME + ": training " + line.label());
        results.trained().put(line.label(), train(line, run));
        save(results);
      }
      for (int source : line.testedOn()) {
        if (results.test(line.label(), source) == null) {
          console.notice(
              "%s: %s tested on %s"
                  .formatted(UniversalTable.NAME, line.label(), table.name(source)));
          results.tests().add(new Test(line.label(), source, test(line, source, run)));
          save(results);
        }
      }
    }
    return results;
  }

  private TunerResult train(Line line, Path run) {
    List<String> arguments = new ArrayList<>(List.of("lft", "train", "--out", run.toString()));
    if (Files.exists(RunDirectory.configOf(run))) {
      arguments.add("--resume");
    } else {
      Map<String, String> settings = new LinkedHashMap<>(line.training());
      settings.put("data", table.data(line.trainedOn()));
      settings.put("eps", table.eps(line.trainedOn()));
      settings.put("victims", folder.resolve("victims").toString());
      take(settings, "iterations", "iterations");
      add(arguments, settings);
    }
    return commands.train(arguments);
  }

  private UniversalEvaluation test(Line line, int source, Path run) {
    List<String> arguments = new ArrayList<>(List.of("lft", "attack", run.toString()));
    Map<String, String> settings = new LinkedHashMap<>(line.testing());
    settings.put("data", table.data(List.of(source)));
    settings.put("eps", table.eps(List.of(source)));
    settings.put("out", run.resolve("on-" + table.name(source)).toString());
    take(settings, "episodes", "tasks");
    add(arguments, settings);
    if (line.rivals() == Line.Rivals.WITH) {
      arguments.add("--baselines");
    }
    return commands.attack(arguments).sources().getFirst();
  }

  private void add(List<String> arguments, Map<String, String> settings) {
    for (String name : List.of("seed", "workers", "device")) {
      take(settings, name, name);
    }
    settings.forEach((name, value) -> arguments.addAll(List.of("--" + name, value)));
  }

  private void take(Map<String, String> settings, String from, String to) {
    if (own.containsKey(from)) {
      settings.put(to, own.get(from));
    }
  }

  private Results load() {
    Path file = folder.resolve(RESULTS);
    List<String> sources = table.sources().stream().map(Object::toString).toList();
    if (!Files.exists(file)) {
      return new Results(
          UniversalTable.NAME,
          table.scale().label(),
          own,
          sources,
          new LinkedHashMap<>(),
          new ArrayList<>());
    }
    Results before = Json.read(file, Results.class, "a reproduction of " + UniversalTable.NAME);
    Map<String, String> old = new LinkedHashMap<>(before.settings());
    Map<String, String> now = new LinkedHashMap<>(own);
    old.remove("workers");
    now.remove("workers");
    if (!before.table().equals(UniversalTable.NAME)
        || !before.scale().equals(table.scale().label())
        || !before.sources().equals(sources)
        || !old.equals(now)) {
      throw CommandException.badInput(
          "%s holds %s of %s at scale %s with settings %s; choose another --out"
              .formatted(
                  folder, before.table(), before.sources(), before.scale(), before.settings()));
    }
    return new Results(
        before.table(),
        before.scale(),
        own,
        sources,
        new LinkedHashMap<>(before.trained()),
        new ArrayList<>(before.tests()));
  }

  private void save(Results results) {
    AtomicFile.write(folder.resolve(RESULTS), Json.pretty(results) + "\n");
  }
}
