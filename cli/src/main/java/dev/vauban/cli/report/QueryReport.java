package dev.vauban.cli.report;

import dev.vauban.cli.Version;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.QueryEvaluation;
import dev.vauban.cli.job.QueryEvaluation.Point;
import dev.vauban.cli.job.QueryEvaluation.Row;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.DataTable.Accuracy;
import dev.vauban.cli.report.Series.Stroke;
import dev.vauban.cli.run.Provenance;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** The page of {@code vauban query-attack}: table, query curves, images. */
public final class QueryReport {
  private static final int HUES = 6;

  private QueryReport() {}

  /** Writes the page. */
  public static void write(Path file, QueryEvaluation evaluation, Session session) {
    page(evaluation, session).write(file);
  }

  static Report page(QueryEvaluation e, Session session) {
    String threat = e.norm() + " at eps " + Eps.format(e.eps());
    Report report =
        new Report("Black-box attacks")
            .lead(
                "%s, asked at most %,d times an image, %s."
                    .formatted(e.victim(), e.budget(), threat))
            .table(table(e));
    report.curves(
        new Curves(
            "Images fooled against queries",
            "Share of the rightly answered images whose first wrong answer within the ball came"
                + " after at most so many queries.",
            new Axis("queries per image", Axis.Scale.NUMBER),
            new Axis("images fooled", Axis.Scale.PERCENT),
            series(e.rows(), Row::curve)));
    List<Row> minimising = e.rows().stream().filter(row -> row.distances() != null).toList();
    if (!minimising.isEmpty()) {
      report.curves(
          new Curves(
              "Distance against queries",
              "Median over the rightly answered images of the nearest wrong answer so far. An image"
                  + " is left alone once it is within eps.",
              new Axis("queries per image", Axis.Scale.NUMBER),
              new Axis("distance, " + e.norm(), Axis.Scale.NUMBER),
              series(minimising, Row::distances),
              new Curves.Level("eps", e.eps())));
    }
    if (!e.examples().isEmpty()) {
      report.imageGrid(
          new ImageGrid("What the attacks do", e.examples().stream().map(Picture::of).toList()));
    }
    Provenance.Session process = Provenance.Session.ofProcess(0, session.arguments());
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Vauban", Version.text());
    facts.put("JDK", process.jdk());
    facts.put("System", process.system() + ", " + process.cores() + " cores");
    facts.put("Written", process.started());
    facts.put("Command", "vauban " + String.join(" ", process.arguments()));
    return report.provenance(
        "Where this comes from", facts, Map.of("All settings", session.settings().toYaml()));
  }

  private static DataTable table(QueryEvaluation e) {
    DataTable table =
        new DataTable(
            "Fooled: percent of the images that were answered rightly; first: by the first query."
                + " Queries: mean and median over fooled images; with failures: mean over all attacked, a failure counting as the"
                + " budget. Sent: all queries, clean images included.");
    table
        .words("attack")
        .number("attacked")
        .accuracy("fooled")
        .accuracy("first")
        .number("mean")
        .number("median");
    table.number("with failures").number("sent");
    for (Row row : e.rows()) {
      table.row(
          row.attack(),
          Integer.toString(row.attacked()),
          share(row.successRate()),
          share(row.first()),
          number(row.meanQueries()),
          number(row.medianQueries()),
          number(row.meanQueriesWithFailures()),
          String.format(Locale.ROOT, "%,d", row.sent()));
    }
    return table;
  }

  private static Object share(Double value) {
    return value == null ? "–" : new Accuracy(value, Double.NaN);
  }

  private static String number(Double value) {
    return value == null ? "–" : String.format(Locale.ROOT, "%,.0f", value);
  }

  private static List<Series> series(List<Row> rows, Function<Row, List<Point>> points) {
    return IntStream.range(0, rows.size())
        .mapToObj(i -> {
          List<Point> line = points.apply(rows.get(i));
          return new Series(
              rows.get(i).attack(),
              line.stream().mapToDouble(Point::queries).toArray(),
              line.stream().mapToDouble(p -> p.value() == null ? Double.NaN : p.value()).toArray(),
              i % HUES,
              i < HUES ? Stroke.SOLID : Stroke.DASHED);
        })
        .toList();
  }
}
