package dev.vauban.cli.command;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.GapTable;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.cli.terminal.TextTable;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeSet;

/** Results of learned tuners as text. */
final class TunerTables {
  private TunerTables() {}

  static String comparison(TunerComparison comparison, int width) {
    StringBuilder text = new StringBuilder();
    for (UniversalEvaluation source : comparison.sources()) {
      if (!text.isEmpty()) {
        text.append("\n\n");
      }
      text.append(source(source, width));
    }
    return text.toString();
  }

  private static String source(UniversalEvaluation e, int width) {
    TreeSet<Integer> steps = new TreeSet<>();
    e.rows().forEach(r -> r.points().forEach(p -> steps.add(p.steps())));
    TextTable success = new TextTable().left("unseen images fooled, %");
    steps.forEach(s -> success.right(s + (s == 1 ? " step" : " steps")));
    for (Row row : e.rows()) {
      Object[] cells = new Object[steps.size() + 1];
      cells[0] = row.tuner();
      int c = 1;
      for (int s : steps) {
        Point p = row.at(s);
        cells[c++] = p.steps() == s ? percent(p.unseen(), p.unseenCi()) : "";
      }
      success.row(cells);
    }
    TextTable norms =
        new TextTable()
            .left("at the end")
            .right("unseen")
            .right("seen")
            .right("mean |d|")
            .right("L1")
            .right("L2")
            .right("Linf")
            .right("queries")
            .left("rate");
    for (Row row : e.rows()) {
      Point p = row.points().getLast();
      norms.row(
          row.tuner(),
          percent(p.unseen(), p.unseenCi()),
          percent(p.seen(), p.seenCi()),
          String.format(Locale.ROOT, "%.4f", p.meanAbsolute()),
          String.format(Locale.ROOT, "%.1f", p.l1()),
          String.format(Locale.ROOT, "%.2f", p.l2()),
          String.format(Locale.ROOT, "%.3f", p.linf()),
          p.queries(),
          rates(row));
    }
    return "%s: eps %s, %d tasks of %d images, %s; victim %.1f%% right on new images\n\n%s\n\n%s"
        .formatted(
            e.source(),
            Eps.format(e.eps()),
            e.tasks(),
            e.images(),
            e.gradients(),
            100 * e.victimAccuracy(),
            success.format(width),
            norms.format(width));
  }

  /** The chosen rates, in the order of the steps, each named once in a row. */
  private static String rates(Row row) {
    StringBuilder text = new StringBuilder();
    Double last = null;
    for (Point p : row.points()) {
      if (p.rate() != null && !Objects.equals(p.rate(), last)) {
        text.append(text.isEmpty() ? "" : ", ").append(p.rate());
        last = p.rate();
      }
    }
    return text.toString();
  }

  static String gap(GapTable table, int width) {
    TextTable text =
        new TextTable()
            .left("source")
            .right("images")
            .right("gap per task")
            .right("cosine per task")
            .right("gap of the mean")
            .right("cosine of the mean");
    table
        .rows()
        .forEach(r ->
            text.row(
                r.source(),
                r.images(),
                String.format(Locale.ROOT, "%.3f ± %.3f", r.gap(), r.gapCi()),
                String.format(Locale.ROOT, "%.3f", r.cosine()),
                String.format(Locale.ROOT, "%.3f", r.meanGap()),
                String.format(Locale.ROOT, "%.3f", r.meanCosine())));
    return text.format(width);
  }

  private static String percent(double value, double halfWidth) {
    return String.format(Locale.ROOT, "%.1f ± %.1f", 100 * value, 100 * halfWidth);
  }
}
