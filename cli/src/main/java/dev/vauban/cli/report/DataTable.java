package dev.vauban.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A table of words, numbers and accuracies. An accuracy is shown in percent with its confidence
 * interval over a thin bar, the best of its column (and what its interval does not tell from the
 * best) in bold.
 */
public final class DataTable implements Block {
  private final String caption;
  private final List<Column> columns = new ArrayList<>();
  private final List<List<Object>> rows = new ArrayList<>();

  private record Column(String title, Kind kind) {}

  private enum Kind {
    WORDS,
    NUMBER,
    ACCURACY
  }

  /**
   * An accuracy.
   *
   * @param value in 0..1
   * @param halfWidth of the 95% confidence interval, in 0..1; NaN for none
   */
  public record Accuracy(double value, double halfWidth) {
    private double slack() {
      return Double.isNaN(halfWidth) ? 0 : halfWidth;
    }
  }

  /** A table with a caption that says what the numbers are. */
  public DataTable(String caption) {
    this.caption = caption;
  }

  /** Adds a column of words. */
  public DataTable words(String title) {
    columns.add(new Column(title, Kind.WORDS));
    return this;
  }

  /** Adds a column of numbers, given as formatted text. */
  public DataTable number(String title) {
    columns.add(new Column(title, Kind.NUMBER));
    return this;
  }

  /** Adds a column of {@link Accuracy}. */
  public DataTable accuracy(String title) {
    columns.add(new Column(title, Kind.ACCURACY));
    return this;
  }

  /** Adds a row; one cell per column. */
  public DataTable row(Object... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          cells.length + " cells in a table of " + columns.size() + " columns");
    }
    rows.add(List.of(cells));
    return this;
  }

  @Override
  public String html() {
    StringBuilder html =
        new StringBuilder("<figure class=\"table\"><div class=\"scroll\"><table>\n");
    html.append("<thead><tr>");
    for (Column column : columns) {
      html.append("<th scope=\"col\" class=\"").append(css(column.kind)).append("\">");
      html.append(Html.escape(column.title)).append("</th>");
    }
    html.append("</tr></thead>\n<tbody>\n");
    for (List<Object> row : rows) {
      html.append("<tr>");
      for (int c = 0; c < columns.size(); c++) {
        html.append("<td class=\"").append(css(columns.get(c).kind)).append("\">");
        html.append(cell(row.get(c), c)).append("</td>");
      }
      html.append("</tr>\n");
    }
    html.append("</tbody></table></div>\n<figcaption>").append(Html.escape(caption));
    return html.append("</figcaption></figure>\n").toString();
  }

  private String cell(Object cell, int column) {
    if (!(cell instanceof Accuracy accuracy)) {
      return Html.escape(String.valueOf(cell));
    }
    String number = String.format(Locale.ROOT, "%.1f", 100 * accuracy.value);
    String interval =
        Double.isNaN(accuracy.halfWidth)
            ? ""
            : String.format(Locale.ROOT, "<small> ± %.1f</small>", 100 * accuracy.halfWidth);
    boolean best = rows.size() > 1 && isAmongBest(accuracy, column);
    return (best ? "<strong>" + number + "</strong>" : number)
        + interval
        + String.format(
            Locale.ROOT,
            "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span>",
            100 * Math.min(1, Math.max(0, accuracy.value)));
  }

  /** Whether no row is better by more than the two intervals; without intervals, at all. */
  private boolean isAmongBest(Accuracy accuracy, int column) {
    return rows.stream()
        .map(row -> row.get(column))
        .filter(Accuracy.class::isInstance)
        .map(Accuracy.class::cast)
        .allMatch(other -> other.value - other.slack() <= accuracy.value + accuracy.slack());
  }

  private static String css(Kind kind) {
    return kind == Kind.WORDS ? "words" : kind == Kind.NUMBER ? "num" : "acc";
  }
}
