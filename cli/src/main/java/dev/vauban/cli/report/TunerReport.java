package dev.vauban.cli.report;

import dev.vauban.cli.Version;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Perturbation;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.cli.run.Provenance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The page of {@code vauban lft attack}: success always beside the perturbation's norm. */
public final class TunerReport {
  private static final int HUES = 6;

  private TunerReport() {}

  /** Writes the page. */
  public static void write(Path file, TunerComparison comparison, Session session) {
    page(comparison, session).write(file);
  }

  static Report page(TunerComparison comparison, Session session) {
    Report report =
        new Report("Universal perturbations by a learned fine-tuner")
            .lead(lead(comparison))
            .paragraph(
                "A task is a few images that a victim classifies correctly. A tuner sees these"
                    + " alone and makes one perturbation; it is judged on other images of the same"
                    + " classes. A pattern of the largest allowed change may fool many of them by"
                    + " itself: read success against the mean absolute change, and against the"
                    + " controls.");
    for (UniversalEvaluation e : comparison.sources()) {
      report
          .heading(e.source() + ", eps " + Eps.format(e.eps()))
          .table(table(e))
          .curves(overSteps(e))
          .curves(overNorm(e));
      if (!e.perturbations().isEmpty()) {
        report.imageGrid(
            new ImageGrid(
                "Perturbations of " + e.source(),
                e.perturbations().stream().map(p -> picture(p, e.eps())).toList(),
                "Classes are the victim's, counted from 1."));
      }
    }
    return report.provenance(
        "Where this comes from",
        facts(session),
        Map.of("All settings", session.settings().toYaml()));
  }

  private static String lead(TunerComparison comparison) {
    UniversalEvaluation e = comparison.sources().getFirst();
    Point learned = e.rows().getFirst().at(20);
    String control =
        e.rows().stream()
            .filter(r -> r.kind() == Kind.CONTROL)
            .max(Comparator.comparingDouble(r -> r.points().getLast().unseen()))
            .map(r ->
                String.format(
                    Locale.ROOT,
                    "; %s, which looks at nothing, fools %.1f%%",
                    r.tuner(),
                    100 * r.points().getLast().unseen()))
            .orElse("");
    return String.format(
        Locale.ROOT,
        "On %s the learned tuner fools %.1f%% of unseen images after %d steps, with a mean absolute"
            + " change of %.3f%s.",
        e.source(),
        100 * learned.unseen(),
        learned.steps(),
        learned.meanAbsolute(),
        control);
  }

  private static DataTable table(UniversalEvaluation e) {
    DataTable table =
        new DataTable(
                String.format(
                    Locale.ROOT,
                    "Share of unseen images misclassified in %d tasks of %d images, %s; means with"
                        + " 95%% intervals over the tasks. The victim is right on %.1f%% of images"
                        + " that it was not trained on. Norms and queries are those of the last"
                        + " step; queries count images answered, each with its gradient where"
                        + " gradients are exact.",
                    e.tasks(),
                    e.images(),
                    e.gradients(),
                    100 * e.victimAccuracy()))
            .words("tuner");
    List<Integer> steps = e.rows().getFirst().points().stream().map(Point::steps).toList();
    steps.forEach(s -> table.accuracy(s + (s == 1 ? " step" : " steps")));
    table.accuracy("seen images");
    for (String name : List.of("mean |d|", "L1", "L2", "Linf", "queries")) {
      table.number(name);
    }
    table.words("note");
    for (Row row : e.rows()) {
      List<Object> cells = new ArrayList<>(List.of(row.tuner()));
      for (int s : steps) {
        Point p = row.at(s);
        cells.add(p.steps() == s ? new DataTable.Accuracy(p.unseen(), p.unseenCi()) : "");
      }
      Point last = row.points().getLast();
      cells.add(new DataTable.Accuracy(last.seen(), last.seenCi()));
      cells.add(String.format(Locale.ROOT, "%.4f", last.meanAbsolute()));
      cells.add(String.format(Locale.ROOT, "%.1f", last.l1()));
      cells.add(String.format(Locale.ROOT, "%.2f", last.l2()));
      cells.add(String.format(Locale.ROOT, "%.3f", last.linf()));
      cells.add(Long.toString(last.queries()));
      cells.add(row.note());
      table.row(cells.toArray());
    }
    return table;
  }

  private static Curves overSteps(UniversalEvaluation e) {
    List<Series> series = new ArrayList<>();
    for (Row row : tuned(e)) {
      int n = row.points().size();
      double[] x = new double[n];
      double[] y = new double[n];
      double[] half = new double[n];
      for (int i = 0; i < n; i++) {
        Point p = row.points().get(i);
        x[i] = Math.log10(p.steps());
        y[i] = p.unseen();
        half[i] = p.unseenCi();
      }
      series.add(new Series(row.tuner(), x, y, half, series.size() % HUES, Series.Stroke.SOLID));
    }
    return new Curves(
        "Success against steps",
        "Unseen images fooled after so many steps (logarithm to base 10: 1 is 10 steps, 2 is 100),"
            + " with 95% intervals. Dotted: the best pattern that looks at nothing.",
        new Axis("log10 of the steps", Axis.Scale.NUMBER),
        new Axis("unseen images fooled", Axis.Scale.PERCENT),
        series,
        level(e));
  }

  /** A tuner's way through norm and success, step by step. */
  private static Curves overNorm(UniversalEvaluation e) {
    List<Series> series = new ArrayList<>();
    for (Row row : tuned(e)) {
      List<Point> rising =
          row.points().stream().sorted(Comparator.comparingDouble(Point::meanAbsolute)).toList();
      series.add(
          new Series(
              row.tuner(),
              rising.stream().mapToDouble(Point::meanAbsolute).toArray(),
              rising.stream().mapToDouble(Point::unseen).toArray(),
              series.size() % HUES,
              Series.Stroke.SOLID));
    }
    return new Curves(
        "Success against norm",
        "The same points by the mean absolute change of a pixel. A pattern of the bound itself has "
            + String.format(Locale.ROOT, "%.3f.", e.eps()),
        new Axis("mean absolute change", Axis.Scale.NUMBER),
        new Axis("unseen images fooled", Axis.Scale.PERCENT),
        series,
        level(e));
  }

  private static List<Row> tuned(UniversalEvaluation e) {
    return e.rows().stream().filter(r -> r.points().size() > 1).limit(HUES).toList();
  }

  private static Curves.Level level(UniversalEvaluation e) {
    return e.rows().stream()
        .filter(r -> r.kind() == Kind.CONTROL)
        .max(Comparator.comparingDouble(r -> r.points().getLast().unseen()))
        .map(r -> new Curves.Level(r.tuner(), r.points().getLast().unseen()))
        .orElse(null);
  }

  private static Picture picture(Perturbation p, double eps) {
    float[] attacked = new float[p.image().length];
    float[] shown = new float[attacked.length];
    for (int i = 0; i < attacked.length; i++) {
      attacked[i] = p.image()[i] + p.delta()[i];
      shown[i] = (float) (0.5 + p.delta()[i] / (2 * eps));
    }
    return new Picture(
        p.tuner(),
        Png.encode(p.image(), p.height(), p.width(), p.channels()),
        Png.encode(attacked, p.height(), p.width(), p.channels()),
        Png.encode(shown, p.height(), p.width(), p.channels()),
        p.label(),
        p.clean(),
        p.attacked(),
        eps);
  }

  private static Map<String, String> facts(Session session) {
    Provenance.Session process = Provenance.Session.ofProcess(0, session.arguments());
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Vauban", Version.text());
    facts.put("JDK", process.jdk());
    facts.put("System", process.system() + ", " + process.cores() + " cores");
    facts.put("Written", process.started());
    facts.put("Command", "vauban " + String.join(" ", process.arguments()));
    return facts;
  }
}
