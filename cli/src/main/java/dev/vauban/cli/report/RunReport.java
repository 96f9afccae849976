package dev.vauban.cli.report;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.Dimension;
import dev.vauban.cli.job.Evaluation.History;
import dev.vauban.cli.job.Evaluation.Linear;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.ModelName;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.core.JacksonException;

/**
 * The page about one or more runs, from what is in their folders: {@code metrics.jsonl}, {@code
 * evaluations.jsonl}, {@code examples/}, {@code neurons/}, {@code config.yaml} and {@code
 * provenance.json}. Metrics named {@code loss}, {@code clean}, {@code robust} and {@code fooled}
 * are drawn; {@code clean} and {@code robust} are validation accuracies in 0..1, {@code fooled} is
 * the share of surrogates that a generator in training fools.
 */
public final class RunReport {
  private RunReport() {}

  /** Adds an evaluation to the folder of the run it evaluated. */
  public static void record(Path run, Evaluation evaluation) {
    Path file = evaluationsOf(run);
    try {
      String before = Files.exists(file) ? Files.readString(file) : "";
      AtomicFile.write(file, before + Json.line(evaluation) + "\n");
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    }
    if (!evaluation.figures().examples().isEmpty()) {
      Examples.write(run.resolve("examples"), evaluation.figures().examples());
    }
    if (!evaluation.figures().neurons().isEmpty()) {
      Neurons.write(run.resolve("neurons"), evaluation.figures().neurons());
    }
  }

  /**
   * Writes the page about {@code runs}.
   *
   * @param target the page; null for {@code report.html} in the first run
   * @return where it was written
   */
  public static Path write(List<Path> runs, Path target) {
    Path file = target != null ? target : runs.get(0).resolve("report.html");
    Map<Path, Path> once = new LinkedHashMap<>();
    runs.forEach(run -> once.putIfAbsent(run.toAbsolutePath().normalize(), run));
    page(List.copyOf(once.values())).write(file);
    return file;
  }

  static Report page(List<Path> runs) {
    Map<String, String> names = ModelName.shortest(runs.stream().map(Path::toString).toList());
    List<Evaluation> evaluations = new ArrayList<>();
    List<History> histories = new ArrayList<>();
    Map<String, List<double[]>> losses = new LinkedHashMap<>();
    Map<String, List<double[]>> fooled = new LinkedHashMap<>();
    Map<Path, List<Picture>> pictures = new LinkedHashMap<>();
    for (Path run : runs) {
      String name = names.get(run.toString());
      evaluations.addAll(evaluations(run));
      List<MetricsLog.Line> lines = MetricsLog.read(RunDirectory.metricsOf(run));
      histories.add(new History(name, validations(lines)));
      losses.put(name, values(lines, "loss"));
      fooled.put(name, values(lines, "fooled"));
      pictures.put(run, Examples.read(run.resolve("examples")));
    }
    Report report = new Report(String.join(", ", names.values()));
    Map<String, List<Row>> byAttack = new LinkedHashMap<>();
    for (Evaluation evaluation : evaluations) {
      List<Row> rows = byAttack.computeIfAbsent(evaluation.attack(), a -> new ArrayList<>());
      evaluation.rows().forEach(row -> replace(rows, row));
    }
    report.lead(lead(evaluations, byAttack, histories));
    byAttack.forEach((attack, rows) -> {
      report.table(Figures.results(rows, attack));
      List<Row> usual = rows.stream().filter(row -> row.support() == null).toList();
      Figures.overEps(usual, attack).ifPresent(report::curves);
      Figures.overSteps(usual, attack).ifPresent(report::curves);
    });
    Figures.training(histories).ifPresent(report::curves);
    Figures.metric("Meta-loss", "loss", losses).ifPresent(report::curves);
    Figures.metric("Surrogates fooled", "fooled", fooled).ifPresent(report::curves);
    List<Picture> labelled = labelled(pictures);
    if (!labelled.isEmpty()) {
      report.imageGrid(new ImageGrid("What the attack does", labelled));
    }
    List<Neurons.Shown> neurons = neurons(runs);
    if (!neurons.isEmpty()) {
      report.neurons(new NeuronGrid("What single features look for", neurons));
    }
    List<Dimension> dimensions =
        evaluations.stream().flatMap(e -> e.dimensions().stream()).toList();
    if (!dimensions.isEmpty()) {
      report.table(Figures.dimensions(dimensions));
    }
    List<Linear> linear = evaluations.stream().flatMap(e -> e.linear().stream()).toList();
    if (!linear.isEmpty()) {
      report.table(Figures.linear(linear));
    }
    runs.forEach(run -> provenance(run, names.get(run.toString()), report));
    return report;
  }

  private static String lead(
      List<Evaluation> evaluations, Map<String, List<Row>> byAttack, List<History> histories) {
    if (!evaluations.isEmpty()) {
      Evaluation last = evaluations.getLast();
      List<Row> rows =
          byAttack.get(last.attack()).stream()
              .filter(row -> row.eps() == last.eps() && row.support() == null)
              .toList();
      return Figures.sentence(rows, last.attack());
    }
    return histories.stream().anyMatch(h -> !h.points().isEmpty())
        ? "Trained and validated; not yet evaluated ('vauban eval')."
        : "Not yet evaluated ('vauban eval').";
  }

  /** A later evaluation of the same model in the same way takes the place of the earlier one. */
  private static void replace(List<Row> rows, Row row) {
    rows.removeIf(old ->
        old.model().equals(row.model())
            && old.eps() == row.eps()
            && old.steps() == row.steps()
            && Objects.equals(old.support(), row.support()));
    rows.add(row);
  }

  /** The runs' pictures, each under its model's label. */
  private static List<Picture> labelled(Map<Path, List<Picture>> pictures) {
    List<ModelName> models = new ArrayList<>();
    pictures.forEach(
        (run, all) -> all.forEach(p -> models.add(new ModelName(p.model(), run.toString()))));
    Map<ModelName, String> labels = ModelName.labels(models);
    List<Picture> labelled = new ArrayList<>();
    pictures.forEach((run, all) ->
        all.forEach(p -> labelled.add(p.of(labels.get(new ModelName(p.model(), run.toString()))))));
    return labelled;
  }

  private static List<Neurons.Shown> neurons(List<Path> runs) {
    Map<Path, List<Neurons.Shown>> found = new LinkedHashMap<>();
    runs.forEach(run -> found.put(run, Neurons.read(run.resolve("neurons"))));
    List<ModelName> models = new ArrayList<>();
    found.forEach((run, all) ->
        all.forEach(n -> models.add(new ModelName(n.entry().model(), run.toString()))));
    Map<ModelName, String> labels = ModelName.labels(models);
    List<Neurons.Shown> labelled = new ArrayList<>();
    found.forEach((run, all) ->
        all.forEach(
            n -> labelled.add(n.of(labels.get(new ModelName(n.entry().model(), run.toString()))))));
    return labelled;
  }

  private static List<History.Point> validations(List<MetricsLog.Line> lines) {
    return lines.stream()
        .filter(l -> l.values().containsKey("clean") && l.values().containsKey("robust"))
        .map(l -> new History.Point(l.step(), l.values().get("clean"), l.values().get("robust")))
        .toList();
  }

  private static List<double[]> values(List<MetricsLog.Line> lines, String metric) {
    return lines.stream()
        .filter(l -> l.values().containsKey(metric))
        .map(l -> new double[] {l.step(), l.values().get(metric)})
        .toList();
  }

  private static List<Evaluation> evaluations(Path run) {
    Path file = evaluationsOf(run);
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      List<Evaluation> evaluations = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        Evaluation e = Json.read(line, Evaluation.class);
        // The run as it is named now: its folder may have moved since.
        evaluations.add(
            new Evaluation(
                    e.eps(),
                    e.attack(),
                    e.rows(),
                    e.dimensions(),
                    e.linear(),
                    Evaluation.Figures.NONE)
                .of(run.toString()));
      }
      return evaluations;
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    } catch (JacksonException e) {
      throw CommandException.badInput(file + " is damaged: a line is not an evaluation's JSON", e);
    }
  }

  private static void provenance(Path run, String name, Report report) {
    Map<String, String> facts = new LinkedHashMap<>();
    Map<String, String> texts = new LinkedHashMap<>();
    if (Files.exists(RunDirectory.provenanceOf(run))) {
      Provenance p = RunDirectory.provenance(run);
      facts.put("Vauban", p.version());
      facts.put("Seed", Long.toString(p.seed()));
      facts.put("Data", p.data());
      facts.put("Data, sha-256", p.dataSha256());
      facts.put("Device", p.device());
      Provenance.Session last = p.sessions().get(p.sessions().size() - 1);
      facts.put("JDK", last.jdk());
      facts.put("System", last.system() + ", " + last.cores() + " cores");
      facts.put(
          "Sessions",
          p.sessions().size() == 1
              ? "1, begun " + last.started()
              : p.sessions().size() + ", the last resumed at step " + last.fromStep());
      texts.put("Command", "vauban " + String.join(" ", p.sessions().get(0).arguments()));
    }
    try {
      texts.put("All settings", Files.readString(RunDirectory.configOf(run)));
    } catch (IOException e) {
      throw CommandException.badInput(
          "cannot read " + RunDirectory.configOf(run) + ": " + Failure.reason(e), e);
    }
    report.provenance("Where " + name + " comes from", facts, texts);
  }

  private static Path evaluationsOf(Path run) {
    return run.resolve("evaluations.jsonl");
  }
}
