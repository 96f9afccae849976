package dev.vauban.cli.report;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.Dimension;
import dev.vauban.cli.job.Evaluation.History;
import dev.vauban.cli.job.Evaluation.Linear;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.ModelName;
import dev.vauban.cli.report.DataTable.Accuracy;
import dev.vauban.cli.report.Series.Stroke;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The tables and charts that the pages about runs have in common. */
final class Figures {
  private static final int HUES = 6;

  private Figures() {}

  /** Method, accuracy clean and under attack, with intervals. */
  static DataTable results(List<Row> rows, String attack) {
    boolean budgets = rows.stream().mapToDouble(Row::eps).distinct().count() > 1;
    Map<ModelName, String> labels = labels(rows);
    String at = budgets || rows.isEmpty() ? "" : " at eps " + Eps.format(rows.get(0).eps());
    DataTable table =
        new DataTable(
            "Accuracy in percent on "
                + Evaluation.basis(rows)
                + ", mean ± 95% confidence interval; robust: under "
                + attack.toUpperCase(Locale.ROOT)
                + at
                + ". Bold: the best of a column, and whatever its interval does not tell from it.");
    boolean supports = rows.stream().anyMatch(row -> row.support() != null);
    table.words("method").number("fine-tune steps");
    if (supports) {
      table.words("support");
    }
    if (budgets) {
      table.number("eps");
    }
    table.accuracy("clean").accuracy("robust").number("seconds");
    for (Row row : rows) {
      List<Object> cells = new ArrayList<>();
      cells.add(labels.get(row.model()));
      cells.add(row.steps());
      if (supports) {
        cells.add(row.support() == null ? "clean" : row.support());
      }
      if (budgets) {
        cells.add(Eps.format(row.eps()));
      }
      cells.add(new Accuracy(row.clean(), row.cleanCi()));
      cells.add(new Accuracy(row.robust(), row.robustCi()));
      cells.add(String.format(Locale.ROOT, "%.1f", row.seconds()));
      table.row(cells.toArray());
    }
    return table;
  }

  /** Linear classifiers of the models' frozen features. */
  static DataTable linear(List<Linear> linear) {
    DataTable table =
        new DataTable(
            "Accuracy in percent of a linear classifier of the frozen features, trained against the"
                + " training attack, on other images of its classes.");
    table.words("method").number("classes").number("images").accuracy("clean").accuracy("robust");
    Map<ModelName, String> labels =
        ModelName.labels(linear.stream().map(l -> new ModelName(l.method(), l.run())).toList());
    for (Linear l : linear) {
      table.row(
          labels.get(new ModelName(l.method(), l.run())),
          Integer.toString(l.classes()),
          Integer.toString(l.images()),
          new Accuracy(l.clean(), Double.NaN),
          new Accuracy(l.robust(), Double.NaN));
    }
    return table;
  }

  /** How many directions the models' features fill. */
  static DataTable dimensions(List<Dimension> dimensions) {
    DataTable table =
        new DataTable(
            "Intrinsic dimension of the features before adaptation: principal components that hold"
                + " 90% of the variance, and effective rank.");
    table
        .words("method")
        .number("images")
        .number("clean")
        .number("attacked")
        .number("effective rank, clean")
        .number("attacked");
    Map<ModelName, String> labels =
        ModelName.labels(dimensions.stream().map(d -> new ModelName(d.method(), d.run())).toList());
    for (Dimension d : dimensions) {
      table.row(
          labels.get(new ModelName(d.method(), d.run())),
          Integer.toString(d.images()),
          Integer.toString(d.clean()),
          Integer.toString(d.attacked()),
          String.format(Locale.ROOT, "%.1f", d.cleanRank()),
          String.format(Locale.ROOT, "%.1f", d.attackedRank()));
    }
    return table;
  }

  /**
   * Accuracy over the budget, from clean (eps 0) on; empty if no model has two budgets. Each model
   * is shown at its largest number of fine-tune steps.
   */
  static Optional<Curves> overEps(List<Row> rows, String attack) {
    Map<String, TreeMap<Double, Row>> byModel = new LinkedHashMap<>();
    Map<ModelName, String> labels = labels(rows);
    for (Row row : rows) {
      byModel
          .computeIfAbsent(labels.get(row.model()), m -> new TreeMap<>())
          .merge(row.eps(), row, (a, b) -> a.steps() >= b.steps() ? a : b);
    }
    if (byModel.values().stream().noneMatch(budgets -> budgets.size() > 1)) {
      return Optional.empty();
    }
    List<Series> series = new ArrayList<>();
    byModel.forEach((model, budgets) -> {
      List<double[]> points = new ArrayList<>();
      Row first = budgets.firstEntry().getValue();
      points.add(new double[] {0, first.clean(), first.cleanCi()});
      budgets.forEach(
          (eps, row) -> points.add(new double[] {255 * eps, row.robust(), row.robustCi()}));
      series.add(
          new Series(
              model,
              column(points, 0),
              column(points, 1),
              column(points, 2),
              series.size() % HUES,
              Stroke.SOLID));
    });
    return Optional.of(
        new Curves(
            "Accuracy as the attack grows",
            "Bands: 95% confidence intervals. At 0 the images are clean; the attack is "
                + attack.toUpperCase(Locale.ROOT)
                + " against the adapted model.",
            new Axis("eps, in 255ths of the pixel range", Axis.Scale.EPS),
            new Axis("accuracy", Axis.Scale.PERCENT),
            series));
  }

  /**
   * Accuracy over the number of fine-tune steps, clean and robust; empty if no model was scored
   * after two of them. Each model is shown at its smallest budget.
   */
  static Optional<Curves> overSteps(List<Row> rows, String attack) {
    Map<String, TreeMap<Integer, Row>> byModel = new LinkedHashMap<>();
    Map<ModelName, String> labels = labels(rows);
    for (Row row : rows) {
      byModel
          .computeIfAbsent(labels.get(row.model()), m -> new TreeMap<>())
          .merge(row.steps(), row, (a, b) -> a.eps() <= b.eps() ? a : b);
    }
    if (byModel.values().stream().noneMatch(steps -> steps.size() > 1)) {
      return Optional.empty();
    }
    List<Series> series = new ArrayList<>();
    int hue = 0;
    for (Map.Entry<String, TreeMap<Integer, Row>> model : byModel.entrySet()) {
      List<double[]> clean = new ArrayList<>();
      List<double[]> robust = new ArrayList<>();
      model
          .getValue()
          .forEach((steps, row) -> {
            clean.add(new double[] {steps, row.clean(), row.cleanCi()});
            robust.add(new double[] {steps, row.robust(), row.robustCi()});
          });
      series.add(banded(model.getKey() + ", robust", robust, hue, Stroke.SOLID));
      series.add(banded(model.getKey() + ", clean", clean, hue, Stroke.DASHED));
      hue = (hue + 1) % HUES;
    }
    double eps = byModel.values().iterator().next().firstEntry().getValue().eps();
    return Optional.of(
        new Curves(
            "Accuracy as adaptation goes on",
            "Bands: 95% confidence intervals. Robust: under "
                + attack.toUpperCase(Locale.ROOT)
                + " at eps "
                + Eps.format(eps)
                + ".",
            new Axis("fine-tune steps", Axis.Scale.NUMBER),
            new Axis("accuracy", Axis.Scale.PERCENT),
            series));
  }

  private static Series banded(String name, List<double[]> points, int hue, Stroke stroke) {
    return new Series(name, column(points, 0), column(points, 1), column(points, 2), hue, stroke);
  }

  /** Validation accuracy over meta-steps, clean and robust; empty if nothing was validated. */
  static Optional<Curves> training(List<History> histories) {
    List<Series> series = new ArrayList<>();
    int hue = 0;
    for (History history : histories) {
      List<History.Point> points =
          history.points().stream().sorted(Comparator.comparingLong(History.Point::step)).toList();
      if (!points.isEmpty()) {
        double[] x = points.stream().mapToDouble(History.Point::step).toArray();
        double[] clean = points.stream().mapToDouble(History.Point::clean).toArray();
        double[] robust = points.stream().mapToDouble(History.Point::robust).toArray();
        series.add(new Series(history.method() + ", robust", x, robust, hue, Stroke.SOLID));
        series.add(new Series(history.method() + ", clean", x, clean, hue, Stroke.DASHED));
      }
      hue = (hue + 1) % HUES;
    }
    if (series.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Curves(
            "Accuracy while training",
            "Validation episodes; their images are neither trained on nor tested.",
            new Axis("meta-steps", Axis.Scale.NUMBER),
            new Axis("accuracy", Axis.Scale.PERCENT),
            series));
  }

  /** One number over meta-steps for each run. */
  static Optional<Curves> metric(String title, String label, Map<String, List<double[]>> runs) {
    List<Series> series = new ArrayList<>();
    runs.forEach((name, points) -> {
      if (!points.isEmpty()) {
        series.add(
            new Series(
                name, column(points, 0), column(points, 1), series.size() % HUES, Stroke.SOLID));
      }
    });
    return series.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Curves(
                title,
                "",
                new Axis("meta-steps", Axis.Scale.NUMBER),
                new Axis(label, Axis.Scale.NUMBER),
                series));
  }

  /** One sentence that compares the rows: which is best under attack, and what that costs clean. */
  static String sentence(List<Row> rows, String attack) {
    Optional<Row> best = rows.stream().max(Comparator.comparingDouble(Row::robust));
    if (best.isEmpty()) {
      return "";
    }
    Row top = best.get();
    Map<ModelName, String> labels = labels(rows);
    String budget = attack.toUpperCase(Locale.ROOT) + " at eps " + Eps.format(top.eps());
    Optional<Row> worst =
        rows.stream()
            .filter(r -> r.eps() == top.eps() && !r.model().equals(top.model()))
            .min(Comparator.comparingDouble(Row::robust));
    return worst
        .map(low ->
            String.format(
                Locale.ROOT,
                "Under %s, %s answers %.1f%% of unseen queries right and %s %.1f%%; on clean"
                    + " images %.1f%% and %.1f%%.",
                budget,
                labels.get(top.model()),
                100 * top.robust(),
                labels.get(low.model()),
                100 * low.robust(),
                100 * top.clean(),
                100 * low.clean()))
        .orElseGet(() ->
            String.format(
                Locale.ROOT,
                "%s answers %.1f%% of unseen queries right, and %.1f%% under %s.",
                labels.get(top.model()),
                100 * top.clean(),
                100 * top.robust(),
                budget));
  }

  private static Map<ModelName, String> labels(List<Row> rows) {
    return ModelName.labels(rows.stream().map(Row::model).toList());
  }

  private static double[] column(List<double[]> points, int column) {
    return points.stream().mapToDouble(p -> p[column]).toArray();
  }
}
