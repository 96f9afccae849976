package dev.vauban.cli.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * A line chart as inline SVG: a light grid, a legend above, bands for confidence intervals, each
 * line's last value at its end. Colours come from the page's palette, so it fits light and dark.
 *
 * @param title what the chart shows
 * @param caption how to read it; empty for none
 * @param x the horizontal axis
 * @param y the vertical axis
 * @param series the lines
 * @param level a dotted horizontal line, e.g. chance; null for none
 */
public record Curves(String title, String caption, Axis x, Axis y, List<Series> series, Level level)
    implements Block {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 400;
  private static final int LEFT = 62;
  private static final int RIGHT = 66;
  private static final int TOP = 14;
  private static final int BOTTOM = 52;
  private static final int MOST_MARKED = 24;
  private static final double LABEL_GAP = 15;

  /**
   * A dotted horizontal line.
   *
   * @param label e.g. {@code chance}
   * @param value on the vertical axis
   */
  public record Level(String label, double value) {}

  /** A chart without a level line. */
  public Curves(String title, String caption, Axis x, Axis y, List<Series> series) {
    this(title, caption, x, y, series, null);
  }

  /** The data's extent, widened to round numbers on the vertical axis. */
  private record Frame(double x0, double x1, double y0, double y1) {
    double px(double x) {
      return LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
    }

    double py(double y) {
      return HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
    }
  }

  @Override
  public String html() {
    List<Series> lines = series.stream().map(Series::thinned).toList();
    Frame frame = frame(lines);
    StringBuilder svg = new StringBuilder();
    svg.append("<figure class=\"chart\">\n<h3>").append(Html.escape(title)).append("</h3>\n");
    legend(svg, lines);
    svg.append(
        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n"
            .formatted(WIDTH, HEIGHT, Html.escape(title)));
    grid(svg, frame);
    level(svg, frame);
    lines.forEach(line -> band(svg, line, frame));
    lines.forEach(line -> line(svg, line, frame));
    lines.forEach(line -> markers(svg, line, frame));
    endLabels(svg, lines, frame);
    svg.append("</svg>\n");
    if (!caption.isEmpty()) {
      svg.append("<figcaption>").append(Html.escape(caption)).append("</figcaption>\n");
    }
    return svg.append("</figure>\n").toString();
  }

  private Frame frame(List<Series> lines) {
    double x0 = Double.POSITIVE_INFINITY;
    double x1 = Double.NEGATIVE_INFINITY;
    double y0 = Double.POSITIVE_INFINITY;
    double y1 = Double.NEGATIVE_INFINITY;
    for (Series line : lines) {
      for (int i = 0; i < line.x().length; i++) {
        double half = line.halfWidth().length == 0 ? 0 : line.halfWidth()[i];
        if (Double.isFinite(line.y()[i])) {
          x0 = Math.min(x0, line.x()[i]);
          x1 = Math.max(x1, line.x()[i]);
          y0 = Math.min(y0, line.y()[i] - half);
          y1 = Math.max(y1, line.y()[i] + half);
        }
      }
    }
    if (!(x0 <= x1)) {
      return new Frame(0, 1, 0, 1);
    }
    if (x0 == x1) {
      x1 = x0 + 1;
    }
    if (y.scale() == Axis.Scale.PERCENT) {
      return new Frame(x0, x1, 0, 1);
    }
    // A loss is read against zero where zero is near.
    if (y0 > 0 && y0 < 0.5 * y1) {
      y0 = 0;
    }
    if (y0 == y1) {
      y1 = y0 + 1;
    }
    double[] ticks = Axis.ticks(y0, y1, 5);
    double step = ticks.length > 1 ? ticks[1] - ticks[0] : y1 - y0;
    return new Frame(
        x0, x1, Math.floor(y0 / step + 1e-9) * step, Math.ceil(y1 / step - 1e-9) * step);
  }

  private static void legend(StringBuilder svg, List<Series> lines) {
    svg.append("<ul class=\"legend\">");
    for (Series line : lines) {
      svg.append(
          ("<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><line x1=\"1\" y1=\"5\" x2=\"25\""
                  + " y2=\"5\" class=\"line s%d%s\"/></svg>%s</li>")
              .formatted(line.hue(), dash(line), Html.escape(line.name())));
    }
    svg.append("</ul>\n");
  }

  private void grid(StringBuilder svg, Frame frame) {
    for (double tick : y.ticksOver(frame.y0, frame.y1, 5)) {
      double py = frame.py(tick);
      svg.append(
          f(
              "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
              LEFT, py, WIDTH - RIGHT, py));
      svg.append(
          f(
              "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
              LEFT - 9, py + 4, y.format(tick)));
    }
    int base = HEIGHT - BOTTOM;
    svg.append(
        f(
            "<line class=\"axis\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>",
            LEFT, base, WIDTH - RIGHT, base));
    for (double tick : x.ticksOver(frame.x0, frame.x1, 8)) {
      double px = frame.px(tick);
      svg.append(
          f(
              "<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>",
              px, base, px, base + 5));
      svg.append(
          f(
              "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
              px, base + 20, x.format(tick)));
    }
    svg.append(
        f(
            "<text class=\"name\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 9, Html.escape(x.label())));
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    svg.append(
        f(
            "<text class=\"name\" transform=\"translate(15 %.1f) rotate(-90)\""
                + " text-anchor=\"middle\">%s</text>\n",
            middle, Html.escape(y.label())));
  }

  private void level(StringBuilder svg, Frame frame) {
    if (level == null || level.value < frame.y0 || level.value > frame.y1) {
      return;
    }
    double py = frame.py(level.value);
    svg.append(
        f(
            "<line class=\"level\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
            LEFT, py, WIDTH - RIGHT, py));
    svg.append(
        f(
            "<text class=\"tick\" x=\"%d\" y=\"%.1f\">%s</text>\n",
            LEFT + 6, py - 6, Html.escape(level.label)));
  }

  private static void band(StringBuilder svg, Series line, Frame frame) {
    if (line.halfWidth().length == 0) {
      return;
    }
    StringBuilder upper = new StringBuilder();
    StringBuilder lower = new StringBuilder();
    for (int i = 0; i < line.x().length; i++) {
      if (Double.isFinite(line.y()[i])) {
        double high = Math.min(frame.y1, line.y()[i] + line.halfWidth()[i]);
        double low = Math.max(frame.y0, line.y()[i] - line.halfWidth()[i]);
        upper.append(f("%.1f,%.1f ", frame.px(line.x()[i]), frame.py(high)));
        lower.insert(0, f("%.1f,%.1f ", frame.px(line.x()[i]), frame.py(low)));
      }
    }
    svg.append(
        f(
            "<polygon class=\"band f%d\" points=\"%s%s\"/>\n",
            line.hue(), upper, lower.toString().strip()));
  }

  private static void line(StringBuilder svg, Series line, Frame frame) {
    StringBuilder path = new StringBuilder();
    boolean pen = false;
    for (int i = 0; i < line.x().length; i++) {
      if (!Double.isFinite(line.y()[i])) {
        pen = false;
        continue;
      }
      path.append(f("%s%.1f %.1f", pen ? "L" : "M", frame.px(line.x()[i]), frame.py(line.y()[i])));
      pen = true;
    }
    svg.append(f("<path class=\"line s%d%s\" d=\"%s\"/>\n", line.hue(), dash(line), path));
  }

  /** Points of a short series, each with its numbers as a tooltip. */
  private void markers(StringBuilder svg, Series line, Frame frame) {
    if (line.x().length > MOST_MARKED) {
      return;
    }
    for (int i = 0; i < line.x().length; i++) {
      if (!Double.isFinite(line.y()[i])) {
        continue;
      }
      String interval = line.halfWidth().length == 0 ? "" : " ± " + y.exact(line.halfWidth()[i]);
      svg.append(
          f(
              "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\"><title>%s, %s %s: %s%s"
                  + "</title></circle>\n",
              line.hue(),
              frame.px(line.x()[i]),
              frame.py(line.y()[i]),
              Html.escape(line.name()),
              Html.escape(x.label()),
              x.format(line.x()[i]),
              y.exact(line.y()[i]),
              interval));
    }
  }

  private record End(double py, int hue, String text) {}

  /** The last value of each line, pushed apart where lines end close together. */
  private void endLabels(StringBuilder svg, List<Series> lines, Frame frame) {
    List<End> ends = new ArrayList<>();
    for (Series line : lines) {
      for (int i = line.x().length - 1; i >= 0; i--) {
        if (Double.isFinite(line.y()[i])) {
          ends.add(new End(frame.py(line.y()[i]), line.hue(), y.exact(line.y()[i])));
          break;
        }
      }
    }
    ends.sort(Comparator.comparingDouble(End::py));
    double[] at = new double[ends.size()];
    for (int i = 0; i < at.length; i++) {
      double free = i == 0 ? TOP + 4 : at[i - 1] + LABEL_GAP;
      at[i] = Math.max(ends.get(i).py, free);
    }
    // Whatever ran out of the bottom is pushed back up.
    for (int i = at.length - 1; i >= 0; i--) {
      double floor = i == at.length - 1 ? HEIGHT - BOTTOM : at[i + 1] - LABEL_GAP;
      at[i] = Math.min(at[i], floor);
    }
    for (int i = 0; i < at.length; i++) {
      svg.append(
          f(
              "<text class=\"end f%d\" x=\"%d\" y=\"%.1f\">%s</text>\n",
              ends.get(i).hue, WIDTH - RIGHT + 9, at[i] + 4, ends.get(i).text));
    }
  }

  private static String dash(Series line) {
    return line.stroke() == Series.Stroke.DASHED ? " dashed" : "";
  }

  private static String f(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
