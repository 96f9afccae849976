package dev.vauban.cli.command;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.ModelName;
import dev.vauban.cli.job.QueryEvaluation;
import dev.vauban.cli.terminal.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results as tables for the terminal. */
final class Tables {
  private Tables() {}

  /** The rows of an evaluation: method, accuracy clean and under attack with 95% CI, seconds. */
  static String evaluation(Evaluation evaluation, int width) {
    boolean severalBudgets =
        evaluation.rows().stream().mapToDouble(Evaluation.Row::eps).distinct().count() > 1;
    boolean severalSupports = evaluation.rows().stream().anyMatch(row -> row.support() != null);
    TextTable table = new TextTable().left("method").right("steps");
    if (severalSupports) {
      table.left("support");
    }
    if (severalBudgets) {
      table.right("eps");
    }
    table.right("clean").right("robust").right("seconds");
    Map<ModelName, String> labels =
        ModelName.labels(evaluation.rows().stream().map(Evaluation.Row::model).toList());
    for (Evaluation.Row row : evaluation.rows()) {
      String model = labels.get(row.model());
      String clean = accuracy(row.clean(), row.cleanCi());
      String robust = accuracy(row.robust(), row.robustCi());
      String seconds = String.format(Locale.ROOT, "%.1f", row.seconds());
      List<Object> cells = new ArrayList<>(List.of(model, row.steps()));
      if (severalSupports) {
        cells.add(row.support() == null ? "clean" : row.support());
      }
      if (severalBudgets) {
        cells.add(Eps.format(row.eps()));
      }
      cells.addAll(List.of(clean, robust, seconds));
      table.row(cells.toArray());
    }
    return table.format(width)
        + System.lineSeparator()
        + caption(evaluation, severalBudgets)
        + dimensions(evaluation, labels, width)
        + linear(evaluation, labels, width);
  }

  private static String linear(Evaluation evaluation, Map<ModelName, String> labels, int width) {
    if (evaluation.linear().isEmpty()) {
      return "";
    }
    TextTable table = new TextTable().left("method").right("classes").right("images");
    table.right("clean").right("robust");
    for (Evaluation.Linear l : evaluation.linear()) {
      table.row(
          labels.getOrDefault(new ModelName(l.method(), l.run()), l.method()),
          l.classes(),
          l.images(),
          percent(l.clean()),
          percent(l.robust()));
    }
    return System.lineSeparator()
        + System.lineSeparator()
        + table.format(width)
        + System.lineSeparator()
        + "linear classifier of the frozen features, trained against the training attack";
  }

  private static String dimensions(
      Evaluation evaluation, Map<ModelName, String> labels, int width) {
    if (evaluation.dimensions().isEmpty()) {
      return "";
    }
    TextTable table =
        new TextTable()
            .left("method")
            .right("images")
            .right("dimension, clean")
            .right("attacked")
            .right("effective rank, clean")
            .right("attacked");
    for (Evaluation.Dimension d : evaluation.dimensions()) {
      table.row(
          labels.getOrDefault(new ModelName(d.method(), d.run()), d.method()),
          d.images(),
          d.clean(),
          d.attacked(),
          String.format(Locale.ROOT, "%.1f", d.cleanRank()),
          String.format(Locale.ROOT, "%.1f", d.attackedRank()));
    }
    return System.lineSeparator()
        + System.lineSeparator()
        + table.format(width)
        + System.lineSeparator()
        + "dimension: principal components that hold 90% of the features' variance, before"
        + " adaptation";
  }

  private static String caption(Evaluation evaluation, boolean severalBudgets) {
    return "robust: under "
        + evaluation.attack()
        + (severalBudgets ? "" : " at eps " + Eps.format(evaluation.eps()))
        + "; mean over "
        + Evaluation.basis(evaluation.rows())
        + " ± 95% confidence interval";
  }

  /** {@code 89.6 ± 0.7%}. */
  static String accuracy(double value, double halfWidth) {
    return String.format(Locale.ROOT, "%.1f ± %.1f%%", 100 * value, 100 * halfWidth);
  }

  /** {@code 89.6%}, or a dash for null. */
  static String percent(Double value) {
    return value == null ? "–" : String.format(Locale.ROOT, "%.1f%%", 100 * value);
  }

  /** What black-box attacks found. */
  static String queries(QueryEvaluation found, int width) {
    TextTable table =
        new TextTable()
            .left("attack")
            .right("attacked")
            .right("fooled")
            .right("first")
            .right("mean queries")
            .right("median")
            .right("with failures")
            .right("sent");
    for (QueryEvaluation.Row row : found.rows()) {
      table.row(
          row.attack(),
          row.attacked(),
          percent(row.successRate()),
          percent(row.first()),
          count(row.meanQueries()),
          count(row.medianQueries()),
          count(row.meanQueriesWithFailures()),
          String.format(Locale.ROOT, "%,d", row.sent()));
    }
    return table.format(width)
        + System.lineSeparator()
        + "%s; %s at eps %s, at most %,d queries an image"
            .formatted(found.victim(), found.norm(), Eps.format(found.eps()), found.budget());
  }

  private static String count(Double value) {
    return value == null ? "–" : String.format(Locale.ROOT, "%,.0f", value);
  }
}
