package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.cli.reproduce.UniversalTable.Line;
import dev.vauban.cli.terminal.TextTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The filled table of learned fine-tuners for people: success always beside the perturbation's
 * norm, and which claims hold.
 *
 * @param table what was to be filled
 * @param results what was measured
 */
public record UniversalSheet(UniversalTable table, UniversalReproduction.Results results) {
  private static final int[] STEPS = {1, 5, 20, 50, 200};
  private static final List<String> HEADS =
      List.of("tested on", "tuner", "1 step", "5", "20", "50", "200", "seen at the end", "note");

  /** As text for a terminal. */
  public String text(int width) {
    TextTable cells = new TextTable().left(HEADS.get(0)).left(HEADS.get(1));
    HEADS.subList(2, HEADS.size() - 1).forEach(cells::right);
    rows().forEach(row -> cells.row(row.subList(0, HEADS.size() - 1).toArray()));
    StringBuilder text = new StringBuilder(title()).append("\n\n").append(cells.format(width));
    text.append("\n\nunseen images fooled, in percent, and the mean absolute change of a pixel\n");
    verdicts()
        .forEach((claim, verdict) -> text.append('\n').append(claim).append(": ").append(verdict));
    return text.toString();
  }

  /** As a Markdown page. */
  public String markdown() {
    StringBuilder page = new StringBuilder("# ").append(title()).append("\n\n");
    for (int s = 0; s < 3; s++) {
      page.append("- ").append(table.name(s)).append(": ").append(table.sources().get(s));
      UniversalEvaluation e = anyOn(s);
      if (e != null) {
        page.append(
            String.format(
                Locale.ROOT,
                ", eps %s, its victim %.1f%% right on new images",
                Eps.format(e.eps()),
                100 * e.victimAccuracy()));
      }
      page.append('\n');
    }
    page.append('\n').append(line(HEADS)).append(line(HEADS.stream().map(h -> "---").toList()));
    rows().forEach(row -> page.append(line(row)));
    page.append(
        "\nUnseen images fooled after so many steps, in percent ± 95% interval over the tasks, and"
            + " after the @ the mean absolute change of a pixel (eps at most). Designed optimisers"
            + " have, in each column, the rate of their grid that did best on training tasks after"
            + " as many steps. One training seed.\n");
    page.append("\n| claim | at this scale |\n|---|---|\n");
    verdicts().forEach((claim, verdict) -> page.append(line(List.of(claim, verdict))));
    return page.toString();
  }

  private String title() {
    String own = results.settings().isEmpty() ? "" : ", with " + results.settings();
    return "Universal perturbations from a few images (%s, scale %s%s)"
        .formatted(UniversalTable.NAME, results.scale(), own);
  }

  private static String line(List<String> cells) {
    return "| "
        + String.join(" | ", cells.stream().map(c -> c.replace("|", "/")).toList())
        + " |\n";
  }

  private UniversalEvaluation anyOn(int source) {
    return results.test(UniversalTable.LFT_BOTH, source);
  }

  private List<List<String>> rows() {
    List<List<String>> rows = new ArrayList<>();
    for (int s = 0; s < 3; s++) {
      List<List<String>> rivals = new ArrayList<>();
      for (Line line : table.lines()) {
        UniversalEvaluation e = results.test(line.label(), s);
        if (e != null) {
          boolean estimated = line.label().equals(UniversalTable.LFT_ZO);
          for (Row row : e.rows()) {
            boolean learned = row == e.rows().getFirst();
            (learned ? rows : rivals)
                .add(row(s, learned ? line.label() : name(row, estimated), row));
          }
        }
      }
      rows.addAll(rivals);
    }
    return rows;
  }

  private static String name(Row row, boolean estimated) {
    return estimated && row.kind() != Kind.DESIGNED ? row.tuner() + " (ZO tasks)" : row.tuner();
  }

  private List<String> row(int source, String name, Row row) {
    List<String> cells = new ArrayList<>(List.of(table.name(source), name));
    for (int steps : STEPS) {
      Point p = row.at(steps);
      cells.add(
          p.steps() == steps
              ? String.format(
                  Locale.ROOT,
                  "%.1f ± %.1f @ %.3f",
                  100 * p.unseen(),
                  100 * p.unseenCi(),
                  p.meanAbsolute())
              : "");
    }
    Point last = row.points().getLast();
    cells.add(String.format(Locale.ROOT, "%.1f", 100 * last.seen()));
    cells.add(row.note());
    return cells;
  }

  /** What the figures say of the claims L0 to L5; a row that fails is named. */
  public Map<String, String> verdicts() {
    return new UniversalClaims(table, results).verdicts(new LinkedHashMap<>());
  }
}
