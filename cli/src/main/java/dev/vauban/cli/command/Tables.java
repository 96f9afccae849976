package dev.vauban.cli.command;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.ModelName;
import dev.vauban.cli.terminal.TextTable;
import java.util.Locale;
import java.util.Map;

/** Results as tables for the terminal. */
final class Tables {
  private Tables() {}

  /** The rows of an evaluation: method, accuracy clean and under attack with 95% CI, seconds. */
  static String evaluation(Evaluation evaluation, int width) {
    boolean severalBudgets =
        evaluation.rows().stream().mapToDouble(Evaluation.Row::eps).distinct().count() > 1;
    TextTable table = new TextTable().left("method").right("steps");
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
      if (severalBudgets) {
        table.row(model, row.steps(), Eps.format(row.eps()), clean, robust, seconds);
      } else {
        table.row(model, row.steps(), clean, robust, seconds);
      }
    }
    return table.format(width) + System.lineSeparator() + caption(evaluation, severalBudgets);
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
}
