package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.Named;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Scale;
import dev.vauban.cli.reproduce.Table.Claim;
import dev.vauban.cli.reproduce.Table.Figure;
import dev.vauban.cli.reproduce.Table.Line;
import dev.vauban.cli.reproduce.Table.Published;
import dev.vauban.cli.terminal.TextTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * A filled table for people: our figures beside the published ones, and which claims hold.
 *
 * @param table what was to be filled
 * @param results what was measured
 * @param stopped lines that could not be trained to their end, with the reason
 */
public record Sheet(Table table, Reproduction.Results results, Map<String, String> stopped) {
  private static final String NONE = "not published";
  private static final List<String> HEADS =
      List.of(
          "method",
          "evaluation",
          "clean",
          "robust",
          "dimension",
          "linear",
          "training",
          "published");

  /** For a terminal. */
  public String text(int width) {
    TextTable grid = new TextTable().left(HEADS.get(0)).left(HEADS.get(1));
    grid.right(HEADS.get(2)).right(HEADS.get(3)).right(HEADS.get(4)).right(HEADS.get(5));
    grid.right(HEADS.get(6)).left(HEADS.get(7));
    rows().forEach(row -> grid.row(row.toArray()));
    StringBuilder text = new StringBuilder(title()).append("\n\n").append(grid.format(width));
    text.append('\n');
    stopped.forEach((line, why) -> text.append('\n').append(line).append(": ").append(why));
    verdicts()
        .forEach((claim, verdict) -> text.append('\n').append(claim).append(": ").append(verdict));
    published().forEach(p -> text.append("\npublished for ").append(p));
    text.append('\n').append(orders());
    return text.toString();
  }

  /** As a Markdown page. */
  public String markdown() {
    StringBuilder page = new StringBuilder("# ").append(title()).append("\n\n");
    page.append(line(HEADS)).append(line(HEADS.stream().map(h -> "---").toList()));
    rows().forEach(row -> page.append(line(row)));
    page.append(
        "\nMean over the episodes ± 95% confidence interval, in percent; one training seed.");
    page.append(
        " Dimension: principal components that hold 90% of the variance of clean / attacked");
    page.append(" features. Linear: a classifier of the frozen features, clean / attacked.");
    page.append(" Training: processor time, all threads together. ").append(orders());
    page.append(".\n");
    stopped.forEach(
        (line, why) -> page.append("\n").append(line).append(": ").append(why).append(".\n"));
    if (!verdicts().isEmpty()) {
      page.append("\n| claim | at this scale |\n|---|---|\n");
      verdicts().forEach((claim, verdict) -> page.append(line(List.of(claim, verdict))));
    }
    if (!published().isEmpty()) {
      page.append("\nPublished figures:\n\n");
      published().forEach(p -> page.append("- ").append(p).append('\n'));
    }
    return page.toString();
  }

  private String title() {
    String own = results.settings().isEmpty() ? "" : ", with " + results.settings();
    return "%s (%s, scale %s%s)".formatted(table.title(), table.name(), results.scale(), own);
  }

  private static String line(List<String> cells) {
    return "| "
        + String.join(" | ", cells.stream().map(c -> c.replace("|", "/")).toList())
        + " |\n";
  }

  private List<List<String>> rows() {
    List<List<String>> rows = new ArrayList<>();
    for (Line line : table.lines()) {
      for (Figure f : results.figures()) {
        if (f.line().equals(line.label())) {
          rows.add(row(line, f));
        }
      }
    }
    return rows;
  }

  private static List<String> row(Line line, Figure f) {
    Published published = line.published().get(f.measure());
    return List.of(
        f.line(),
        f.measure(),
        accuracy(f.clean(), f.cleanCi()),
        accuracy(f.robust(), f.robustCi()),
        f.dimension() == null ? "–" : f.dimension() + " / " + f.attackedDimension(),
        f.linear() == null
            ? "–"
            : String.format(Locale.ROOT, "%.1f / %.1f", 100 * f.linear(), 100 * f.linearRobust()),
        String.format(Locale.ROOT, "%.0f s", f.trainProcessorSeconds()),
        published == null ? NONE : published.figure());
  }

  private static String accuracy(double value, double halfWidth) {
    return String.format(Locale.ROOT, "%.1f ± %.1f", 100 * value, 100 * halfWidth);
  }

  /** What the figures say of each claim that they are about. */
  public Map<String, String> verdicts() {
    return byText(table.claims(), c -> c.verdict(results.figures()));
  }

  private static Map<String, String> byText(List<Claim> claims, Function<Claim, String> f) {
    Map<String, String> all = new LinkedHashMap<>();
    claims.forEach(c -> all.put(c.text(), f.apply(c)));
    return all;
  }

  /** The literature's figures for this table's lines, each with where it was read. */
  public List<String> published() {
    return table.lines().stream()
        .flatMap(line ->
            line.published().values().stream()
                .map(p -> line.label() + ", " + p.figure() + ": " + p.source()))
        .toList();
  }

  /** Of which order meta-gradients were, in words. */
  private String orders() {
    Scale scale = Named.parse(Scale.class, "scale", results.scale());
    Order usual = Table.order(scale);
    List<String> others =
        table.lines().stream()
            .filter(line -> line.order().filter(o -> o != usual).isPresent())
            .map(Line::label)
            .toList();
    return "Meta-gradients are of %s order%s"
        .formatted(
            usual.label(),
            others.isEmpty() ? "" : ", but not those of " + String.join(", ", others));
  }
}
