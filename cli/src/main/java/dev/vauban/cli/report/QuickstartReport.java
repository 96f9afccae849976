package dev.vauban.cli.report;

import dev.vauban.cli.Version;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.run.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The page of {@code vauban quickstart}. */
public final class QuickstartReport {
  private QuickstartReport() {}

  /** Writes the page. */
  public static void write(Path file, Evaluation evaluation, Session session) {
    page(evaluation, session).write(file);
  }

  static Report page(Evaluation evaluation, Session session) {
    Report report =
        new Report("Robust few-shot learning, in one run")
            .lead(Figures.sentence(evaluation.rows(), evaluation.attack()))
            .paragraph(
                "Each model was meta-trained on drawn characters, then adapted to characters it had"
                    + " never seen from a few labelled images, and attacked. The attack changes"
                    + " each pixel by at most eps.")
            .table(Figures.results(evaluation.rows(), evaluation.attack()));
    List<Row> sweep = new ArrayList<>(evaluation.figures().sweep());
    sweep.addAll(evaluation.rows());
    Figures.overEps(sweep, evaluation.attack()).ifPresent(report::curves);
    Figures.training(evaluation.figures().histories()).ifPresent(report::curves);
    if (!evaluation.figures().examples().isEmpty()) {
      report.imageGrid(
          new ImageGrid(
              "What the attack does",
              evaluation.figures().examples().stream().map(Picture::of).toList()));
    }
    Provenance.Session process = Provenance.Session.ofProcess(0, session.arguments());
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Vauban", Version.text());
    facts.put("JDK", process.jdk());
    facts.put("System", process.system() + ", " + process.cores() + " cores");
    facts.put("Written", process.started());
    facts.put("Command", "vauban " + String.join(" ", process.arguments()));
    Map<String, String> texts = Map.of("All settings", session.settings().toYaml());
    return report.provenance("Where this comes from", facts, texts);
  }
}
