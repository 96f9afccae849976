package dev.vauban.cli.report;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.History;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;

/**
 * The page about one or more runs, from what is in their folders: {@code metrics.jsonl}, {@code
 * evaluations.jsonl}, {@code examples/}, {@code config.yaml} and {@code provenance.json}. Metrics
 * named {@code loss}, {@code clean} and {@code robust} are drawn; {@code clean} and {@code robust}
 * are validation accuracies in 0..1.
 */
public final class RunReport {
  private RunReport() {}

  /** Adds an evaluation to the folder of the run it evaluated. */
  public static void record(Path run, Evaluation evaluation) {
    Path file = evaluationsOf(run);
    try {
      Files.writeString(
          file, Json.line(evaluation) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
    if (!evaluation.figures().examples().isEmpty()) {
      Examples.write(run.resolve("examples"), evaluation.figures().examples());
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
    page(runs).write(file);
    return file;
  }

  static Report page(List<Path> runs) {
    List<Evaluation> evaluations = new ArrayList<>();
    List<History> histories = new ArrayList<>();
    Map<String, List<double[]>> losses = new LinkedHashMap<>();
    List<Picture> pictures = new ArrayList<>();
    for (Path run : runs) {
      String name = name(run);
      evaluations.addAll(evaluations(run));
      List<MetricsLog.Line> lines = MetricsLog.read(RunDirectory.metricsOf(run));
      histories.add(new History(name, validations(lines)));
      losses.put(name, losses(lines));
      pictures.addAll(Examples.read(run.resolve("examples")));
    }
    Report report = new Report(title(runs));
    lead(evaluations, histories, report);
    Map<String, List<Row>> byAttack = new LinkedHashMap<>();
    for (Evaluation evaluation : evaluations) {
      List<Row> rows = byAttack.computeIfAbsent(evaluation.attack(), a -> new ArrayList<>());
      evaluation.rows().forEach(row -> replace(rows, row));
    }
    byAttack.forEach((attack, rows) -> {
      report.table(Figures.results(rows, attack));
      Figures.overEps(rows, attack).ifPresent(report::curves);
      Figures.overSteps(rows, attack).ifPresent(report::curves);
    });
    Figures.training(histories).ifPresent(report::curves);
    Figures.metric("Meta-loss", "loss", losses).ifPresent(report::curves);
    if (!pictures.isEmpty()) {
      report.imageGrid(new ImageGrid("What the attack does", pictures));
    }
    runs.forEach(run -> provenance(run, report));
    return report;
  }

  private static void lead(List<Evaluation> evaluations, List<History> histories, Report report) {
    if (!evaluations.isEmpty()) {
      Evaluation last = evaluations.get(evaluations.size() - 1);
      List<Row> rows =
          evaluations.stream()
              .filter(e -> e.attack().equals(last.attack()))
              .flatMap(e -> e.rows().stream())
              .filter(row -> row.eps() == last.eps())
              .toList();
      report.lead(Figures.sentence(rows, last.attack()));
    } else if (histories.stream().anyMatch(h -> !h.points().isEmpty())) {
      report.lead("Trained and validated; not yet evaluated on unseen classes ('vauban eval').");
    } else {
      report.lead("Not yet evaluated ('vauban eval').");
    }
  }

  /** A later evaluation of the same kind takes the place of the earlier one. */
  private static void replace(List<Row> rows, Row row) {
    rows.removeIf(old ->
        old.method().equals(row.method()) && old.eps() == row.eps() && old.steps() == row.steps());
    rows.add(row);
  }

  private static List<History.Point> validations(List<MetricsLog.Line> lines) {
    return lines.stream()
        .filter(l -> l.values().containsKey("clean") && l.values().containsKey("robust"))
        .map(l -> new History.Point(l.step(), l.values().get("clean"), l.values().get("robust")))
        .toList();
  }

  private static List<double[]> losses(List<MetricsLog.Line> lines) {
    return lines.stream()
        .filter(l -> l.values().containsKey("loss"))
        .map(l -> new double[] {l.step(), l.values().get("loss")})
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
        evaluations.add(new Evaluation(e.eps(), e.attack(), e.rows()));
      }
      return evaluations;
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    } catch (JacksonException e) {
      throw CommandException.badInput(file + " is damaged: a line is not an evaluation's JSON", e);
    }
  }

  private static void provenance(Path run, Report report) {
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
    report.provenance("Where " + name(run) + " comes from", facts, texts);
  }

  private static String title(List<Path> runs) {
    return runs.size() == 1
        ? name(runs.get(0))
        : String.join(", ", runs.stream().map(RunReport::name).toList());
  }

  private static String name(Path run) {
    return run.toAbsolutePath().normalize().getFileName().toString();
  }

  private static Path evaluationsOf(Path run) {
    return run.resolve("evaluations.jsonl");
  }
}
