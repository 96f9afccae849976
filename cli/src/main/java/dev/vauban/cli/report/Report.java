package dev.vauban.cli.report;

import dev.vauban.cli.run.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A self-contained page: one HTML file with its style, charts and images inside, which loads
 * nothing from anywhere.
 *
 * <pre>
 * new Report("MAML and R-MAML")
 *     .lead("R-MAML keeps 77% under an attack that leaves MAML 39%.")
 *     .table(table)
 *     .curves(chart)
 *     .imageGrid(grid)
 *     .provenance("Provenance", facts, texts)
 *     .write(Path.of("report.html"));
 * </pre>
 */
public final class Report {
  private final String title;
  private String lead = "";
  private final List<Block> blocks = new ArrayList<>();

  /** A page with a title. */
  public Report(String title) {
    this.title = title;
  }

  /** Sets the sentence under the title: what the page shows. */
  public Report lead(String sentence) {
    lead = sentence;
    return this;
  }

  /** Adds a heading. */
  public Report heading(String text) {
    blocks.add(new Prose(Prose.Kind.HEADING, text));
    return this;
  }

  /** Adds a paragraph. */
  public Report paragraph(String text) {
    blocks.add(new Prose(Prose.Kind.PARAGRAPH, text));
    return this;
  }

  /** Adds a table. */
  public Report table(DataTable table) {
    blocks.add(table);
    return this;
  }

  /** Adds a chart. */
  public Report curves(Curves curves) {
    blocks.add(curves);
    return this;
  }

  /** Adds images. */
  public Report imageGrid(ImageGrid grid) {
    blocks.add(grid);
    return this;
  }

  /** Adds inputs that maximise features. */
  Report neurons(NeuronGrid grid) {
    blocks.add(grid);
    return this;
  }

  /** Adds where the results come from: short facts, and longer texts folded away. */
  public Report provenance(String heading, Map<String, String> facts, Map<String, String> texts) {
    blocks.add(new Facts(heading, facts, texts));
    return this;
  }

  /** The page. */
  public String html() {
    StringBuilder html = new StringBuilder();
    html.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.append("<title>").append(Html.escape(title)).append("</title>\n<style>\n");
    html.append(style()).append("</style>\n</head>\n<body>\n<main>\n<header>\n");
    html.append("<p class=\"brand\">vauban</p>\n<h1>").append(Html.escape(title)).append("</h1>\n");
    if (!lead.isEmpty()) {
      html.append("<p class=\"lead\">").append(Html.escape(lead)).append("</p>\n");
    }
    html.append("</header>\n");
    blocks.forEach(block -> html.append(block.html()));
    return html.append("</main>\n</body>\n</html>\n").toString();
  }

  /** Writes the page to {@code file}, whole or not at all. */
  public void write(Path file) {
    AtomicFile.write(file, html());
  }

  private static String style() {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
