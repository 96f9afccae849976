package dev.vauban.bench.gpu;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The results for people: what is wrong, a line per group, then the speed table. */
final class CheckTable {
  private CheckTable() {}

  static String of(GpuCheck.Results results) {
    StringBuilder text = new StringBuilder();
    Map<String, List<Finding>> groups = new LinkedHashMap<>();
    for (Finding f : results.findings()) {
      groups.computeIfAbsent(f.group(), g -> new java.util.ArrayList<>()).add(f);
    }
    text.append(results.device()).append('\n');
    if (!groups.isEmpty()) {
      text.append(row("\nagainst the reference in double", "right", "wrong", "worst / allowed"));
    }
    groups.forEach((group, all) -> {
      long right = all.stream().filter(Finding::passed).count();
      double worst =
          all.stream()
              .filter(f -> f.tolerance() > 0 && f.failure().isEmpty())
              .mapToDouble(f -> f.error() / f.tolerance())
              .max()
              .orElse(0);
      text.append(row(group, "" + right, "" + (all.size() - right), number(worst)));
    });
    results.findings().stream()
        .filter(f -> !f.passed())
        .forEach(f -> text.append("WRONG ").append(line(f)).append('\n'));
    if (results.ceilings() != null) {
      text.append(
          String.format(
              Locale.ROOT,
              "%nceilings: copy %.0f GB/s read and written",
              results.ceilings().bytesPerSecond() / 1e9));
      results
          .ceilings()
          .flops()
          .forEach((type, flops) ->
              text.append(String.format(Locale.ROOT, ", %s %.1f TFLOP/s", type, flops / 1e12)));
      text.append('\n');
    }
    if (!results.rows().isEmpty()) {
      speed(results.rows(), text);
    }
    return text.toString();
  }

  static String line(Finding f) {
    return f.group()
        + ": "
        + f.name()
        + ": "
        + (f.failure().isEmpty()
            ? "error " + number(f.error()) + ", allowed " + number(f.tolerance())
            : f.failure());
  }

  private static String row(String name, String... cells) {
    StringBuilder row = new StringBuilder("%-34s".formatted(name));
    for (String cell : cells) {
      row.append("%16s".formatted(cell));
    }
    return row.append('\n').toString();
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2g", value);
  }

  private static void speed(List<SpeedRow> rows, StringBuilder text) {
    text.append(
        "\nms: a step on data that stays on the card, median; card: its graph by the card's clock;"
            + " idle: share of the step without a graph on the card;\nmatmul, copy: share of the"
            + " rate of large matrix products and of copies; x: the best peer's time over ours\n");
    text.append(
        "%-18s %5s %-5s %10s %10s %7s %6s %7s %7s %6s  %s%n"
            .formatted(
                "program", "tasks", "", "ms", "card", "graphs", "idle", "matmul", "copy", "x",
                "peers"));
    for (SpeedRow r : rows) {
      text.append("%-18s %5d %-5s ".formatted(r.name(), r.tasks(), r.precision()));
      if (!r.failure().isEmpty()) {
        text.append("did not run: ").append(r.failure()).append('\n');
        continue;
      }
      text.append(
          String.format(
              Locale.ROOT,
              "%10.3f %10.3f %7.1f %5.0f%% %6.1f%% %6.1f%% %6s ",
              r.milliseconds(),
              r.cardMilliseconds(),
              r.launches(),
              100 * r.idleShare(),
              100 * r.matmulShare(),
              100 * r.memoryShare(),
              Double.isNaN(r.speedup()) ? "-" : String.format(Locale.ROOT, "%.2f", r.speedup())));
      for (SpeedRow.Peer p : r.peers()) {
        text.append(
            p.failure().isEmpty()
                ? String.format(Locale.ROOT, " %s %.3f;", p.name(), p.milliseconds())
                : " " + p.name() + " left out (" + p.failure() + ");");
      }
      text.append('\n');
    }
  }
}
