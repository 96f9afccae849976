package dev.vauban.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Evaluation.History;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.Example;
import dev.vauban.tensor.Key;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A page with synthetic numbers; -Dvauban.report.example=FILE keeps it to be looked at. */
class ReportTest {
  @TempDir Path folder;

  @Test
  void aPageStandsOnItsOwn() throws Exception {
    String kept = System.getProperty("vauban.report.example");
    Path file = kept == null ? folder.resolve("report.html") : Path.of(kept);
    example().write(file);

    String html = Files.readString(file);
    assertThat(html).startsWith("<!doctype html>").endsWith("</html>\n");
    // Nothing is fetched: no address, no script, no import; every source is inline.
    assertThat(html)
        .doesNotContain("http:", "https:", "//cdn", "@import", "url(", "<script", "<link");
    Matcher source = Pattern.compile("(?:src|href)=\"([^\"]{0,40})").matcher(html);
    int images = 0;
    while (source.find()) {
      assertThat(source.group(1)).startsWith("data:image/png;base64,");
      images++;
    }
    assertThat(images).isEqualTo(12 * 3);
    assertThat(html).contains("image-rendering: pixelated", "prefers-color-scheme: dark");
    assertThat(html).contains("white is +16/255 and black −16/255 (contrast ×8)");
  }

  @Test
  void tagsAreBalanced() {
    String html = example().html();
    for (String tag :
        List.of("figure", "svg", "table", "tr", "td", "div", "ul", "li", "section", "text", "dl")) {
      assertThat(count(html, "<" + tag + "[ >]"))
          .as(tag)
          .isEqualTo(count(html, "</" + tag + ">"))
          .isPositive();
    }
  }

  @Test
  void textIsEscaped() {
    String html =
        new Report("<b>&\"")
            .lead("a < b")
            .table(new DataTable("<i>").words("<u>").row("<script>alert(1)</script>"))
            .provenance("<p>", Map.of("<dt>", "<dd>"), Map.of("<pre>", "</pre>"))
            .html();
    assertThat(html).contains("&lt;script&gt;", "&lt;b&gt;&amp;&quot;", "a &lt; b", "&lt;dd&gt;");
    assertThat(html).doesNotContain("<script", "<b>&", "<i>", "<u>");
  }

  @Test
  void theBestAccuracyOfAColumnIsBold() {
    String html =
        new DataTable("")
            .words("method")
            .accuracy("robust")
            .row("a", new DataTable.Accuracy(0.393, 0.016))
            .row("b", new DataTable.Accuracy(0.774, 0.014))
            .html();
    assertThat(html).contains("<strong>77.4</strong><small> ± 1.4</small>", ">39.3<small>");
    assertThat(html).doesNotContain("<strong>39.3");
  }

  @Test
  void aPageThatCannotBeWrittenIsOneSentence() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> new Report("x").write(file.resolve("report.html")))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("cannot write")
        .hasMessageContaining("report.html");
  }

  private static int count(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    int count = 0;
    while (matcher.find()) {
      count++;
    }
    return count;
  }

  /** A page of synthetic numbers in the shape of the quickstart's. */
  static Report example() {
    List<Row> rows =
        List.of(
            new Row("maml", 16 / 255.0, 10, 200, 0.896, 0.010, 0.393, 0.016, 61.4),
            new Row("rmaml-out", 16 / 255.0, 10, 200, 0.897, 0.010, 0.774, 0.014, 92.8));
    List<Row> sweep = new ArrayList<>(rows);
    double[][] robust = {{.842, .885}, {.773, .874}, {.608, .849}, {.102, .503}};
    double[] budgets = {2, 4, 8, 32};
    for (int b = 0; b < budgets.length; b++) {
      for (int m = 0; m < 2; m++) {
        Row row = rows.get(m);
        sweep.add(
            new Row(
                row.method(),
                budgets[b] / 255,
                10,
                200,
                row.clean(),
                row.cleanCi(),
                robust[b][m],
                0.015,
                0));
      }
    }
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Vauban", "0.1.0");
    facts.put("Seed", "7");
    facts.put("Data", "glyphs");
    facts.put("Data, sha-256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    facts.put("JDK", "Eclipse Adoptium 25.0.3+9-LTS");
    facts.put("System", "Linux 6.18 amd64, 2 cores");
    facts.put("Device", "cpu, oneDNN 3.11.0 (AVX-512), 2 workers");
    facts.put("Command", "vauban quickstart --seed 7");
    return new Report("Robust few-shot learning, in one run")
        .lead(Figures.sentence(rows, "pgd"))
        .paragraph(
            "Each model was meta-trained on drawn characters, then adapted to characters it had"
                + " never seen from a few labelled images, and attacked. The attack changes each"
                + " pixel by at most eps.")
        .table(Figures.results(rows, "pgd"))
        .curves(Figures.overEps(sweep, "pgd").orElseThrow())
        .curves(
            Figures.training(List.of(history("maml", 0.90, 0.39), history("rmaml-out", 0.90, 0.78)))
                .orElseThrow())
        .imageGrid(new ImageGrid("What the attack does", pictures()))
        .provenance(
            "Where this comes from", facts, Map.of("All settings", "iterations: 300  # default\n"));
  }

  private static History history(String method, double clean, double robust) {
    List<History.Point> points = new ArrayList<>();
    for (int i = 0; i <= 15; i++) {
      double grown = 1 - Math.exp(-i / 3.5);
      double noise = 0.02 * (Key.of(i).uniform(method.length()) - 0.5);
      points.add(
          new History.Point(
              i * 100L,
              0.2 + (clean - 0.2) * grown + noise,
              0.02 + (robust - 0.02) * grown * grown + noise));
    }
    return new History(method, points);
  }

  private static List<Picture> pictures() {
    List<Picture> pictures = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      String model = i < 6 ? "maml" : "rmaml-out";
      int size = 28;
      float[] clean = new float[size * size];
      float[] attacked = new float[size * size];
      Key key = Key.of(i % 6);
      double eps = 16 / 255.0;
      for (int y = 0; y < size; y++) {
        for (int x = 0; x < size; x++) {
          double ring =
              Math.hypot(x - 13.5 - 3 * key.uniform(1), y - 13.5) - 6 - 4 * key.uniform(2);
          double stroke = (x - y) * (key.uniform(3) - .5) + x - 14;
          clean[y * size + x] =
              (float) Math.max(Math.exp(-ring * ring), Math.exp(-stroke * stroke));
          double sign = key.uniform(100 + y / 2 * 40L + x / 2) < 0.5 ? -1 : 1;
          attacked[y * size + x] =
              (float) Math.min(1, Math.max(0, clean[y * size + x] + sign * eps));
        }
      }
      int answer = i < 6 && i % 3 != 2 || i == 8 ? (i + 2) % 5 : i % 5;
      pictures.add(
          Picture.of(
              new Example(model, size, size, 1, clean, attacked, i % 5, i % 5, answer, eps)));
    }
    return pictures;
  }
}
