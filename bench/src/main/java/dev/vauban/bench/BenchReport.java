package dev.vauban.bench;

import dev.vauban.bench.kernels.KernelBench;
import dev.vauban.bench.steps.Curves;
import dev.vauban.bench.steps.Starts;
import dev.vauban.bench.steps.StepBench;
import dev.vauban.cli.terminal.TextTable;
import dev.vauban.tensor.backend.cpu.Profile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What {@code --json} prints, and the tables of it that a terminal gets.
 *
 * @param date in UTC
 * @param host processor and cores
 * @param jdk vendor and version
 * @param commit of the sources
 * @param load how many threads wanted a processor, on average of the last minute at the end; above
 *     the number of cores something else ran too
 * @param peak what the machine can do, by number of threads: best f32 GFLOP/s of the matrix
 *     product, best GB/s of copying memory (read plus written)
 * @param rows the measured programs
 * @param curves with {@code --only curves}, how costs grow
 * @param start with {@code --only start}, what fresh processes take; else null
 * @param kernels the measured kernels
 * @param profile with {@code --profile}, the time of each kernel of the plans
 */
record BenchReport(
    String date,
    String host,
    String jdk,
    String commit,
    double load,
    Map<String, Double> peak,
    List<StepBench.Row> rows,
    List<Curves.Curve> curves,
    Starts.Report start,
    List<KernelBench.Row> kernels,
    List<Profile.Row> profile) {
  private static final double QUICK = 0.8; // of the peak
  private static final int PROFILED = 40; // kernels shown; the rest is in the JSON

  /** For a terminal. */
  String text(Machine machine, int width) {
    StringBuilder s = new StringBuilder(machine.line());
    s.append(number("; load %.1f%n", load));
    int wide = Math.max(width, 130);
    if (!rows.isEmpty()) {
      s.append(steps(rows).format(wide));
      rows.forEach(row -> row.peers().forEach(p -> s.append(peer(row, p))));
    }
    if (!curves.isEmpty()) {
      s.append(curves(curves).format(wide));
    }
    if (start != null) {
      s.append(starts(start).format(wide));
      s.append(number("%na JVM that does nothing: %.0f MiB", start.idleMb()));
    }
    if (!kernels.isEmpty()) {
      s.append(kernels(kernels).format(wide));
    }
    if (!profile.isEmpty()) {
      s.append("\n\n").append(profile(profile).format(wide));
      if (!rows.isEmpty()) {
        s.append("\n").append(products(profile, rows.getFirst()));
      }
    }
    return s.toString();
  }

  private static TextTable steps(List<StepBench.Row> rows) {
    TextTable table =
        new TextTable()
            .left("program")
            .right("threads")
            .right("ms")
            .right("least")
            .right("most")
            .right("GFLOP")
            .right("GFLOP/s")
            .right("peak")
            .right("share")
            .right("by cpu");
    boolean contest = rows.stream().anyMatch(r -> !r.peers().isEmpty());
    if (contest) {
      table.right("best peer ms").right("ratio").right("by cpu");
    }
    for (StepBench.Row r : rows) {
      List<Object> cells =
          new ArrayList<>(
              List.of(
                  r.precision().equals("f32") ? r.title() : r.title() + ", " + r.precision(),
                  r.threads(),
                  number("%.0f", r.ms()),
                  number("%.0f", r.msMin()),
                  number("%.0f", r.msMax()),
                  number("%.1f", r.gflop()),
                  number("%.0f", 1e3 * r.gflop() / r.ms()),
                  number("%.0f", r.peakGflops()),
                  number("%.1f%%", 100 * r.shareOfPeak()),
                  number("%.1f%%", 100 * r.shareOfPeakCpu())));
      if (contest) {
        cells.addAll(bestPeer(r));
      }
      table.row(cells.toArray());
    }
    return table;
  }

  /** The fastest peer's time, and its ratio to ours by the clock and by processor time. */
  private static List<String> bestPeer(StepBench.Row row) {
    return row.peers().stream()
        .min(Comparator.comparingDouble(StepBench.Peer::ms))
        .map(p ->
            List.of(
                number("%.0f", p.ms()), number("%.2f", p.ratio()), number("%.2f", p.ratioCpu())))
        .orElse(List.of("", "", ""));
  }

  private static String peer(StepBench.Row row, StepBench.Peer peer) {
    return "%n%s, %d thread(s): %s".formatted(row.name(), row.threads(), peer.line());
  }

  private static TextTable curves(List<Curves.Curve> curves) {
    TextTable table =
        new TextTable()
            .left("program")
            .right("threads")
            .left("what grows")
            .left("ms")
            .right("ms each")
            .right("ms fixed")
            .right("off the line");
    for (Curves.Curve c : curves) {
      table.row(
          c.title(),
          c.threads(),
          c.name(),
          c.points().stream()
              .map(p -> p.n() + ": " + number("%.0f", p.ms()))
              .collect(Collectors.joining(", ")),
          number("%.1f", c.msEach()),
          number("%.1f", c.msFixed()),
          number("%.1f%%", 100 * c.worst()));
    }
    return table;
  }

  private static TextTable starts(Starts.Report report) {
    TextTable table =
        new TextTable()
            .left("program")
            .right("threads")
            .right("compiled s")
            .right("again s")
            .right("first step s")
            .right("MiB");
    boolean contest = report.rows().stream().anyMatch(r -> !r.peers().isEmpty());
    if (contest) {
      table.right("fastest peer: first s").right("MiB").right("least MiB of a peer");
    }
    for (Starts.Row r : report.rows()) {
      List<Object> cells =
          new ArrayList<>(
              List.of(
                  r.title(),
                  r.threads(),
                  number("%.2f", r.compileSeconds()),
                  number("%.2f", r.againSeconds()),
                  number("%.1f", r.firstSeconds()),
                  number("%.0f", r.mostMb())));
      if (contest) {
        cells.addAll(startOfPeers(r.peers()));
      }
      table.row(cells.toArray());
    }
    return table;
  }

  /** First step and memory of the fastest way, and the least memory of any. */
  private static List<String> startOfPeers(List<Starts.Peer> peers) {
    return peers.stream()
        .min(Comparator.comparingDouble(Starts.Peer::lastMs))
        .map(p ->
            List.of(
                number("%.1f", p.firstSeconds()),
                number("%.0f", p.mostMb()),
                number("%.0f", peers.stream().mapToDouble(Starts.Peer::mostMb).min().orElse(0))))
        .orElse(List.of("", "", ""));
  }

  private static TextTable kernels(List<KernelBench.Row> kernels) {
    TextTable table =
        new TextTable().left("kernel").right("us").right("±").right("GFLOP/s").right("B/op");
    for (KernelBench.Row r : kernels) {
      table.row(
          r.name(),
          number("%.2f", r.us()),
          number("%.2f", r.usError()),
          r.gflops() == null ? "" : number("%.0f", r.gflops()),
          number("%.1f", r.bytesPerOp()));
    }
    return table;
  }

  private static TextTable profile(List<Profile.Row> rows) {
    double all = rows.stream().mapToDouble(Profile.Row::seconds).sum();
    TextTable table =
        new TextTable().left("kernel").right("share").right("calls").right("us").right("GFLOP/s");
    for (Profile.Row r : rows.subList(0, Math.min(PROFILED, rows.size()))) {
      table.row(
          r.kernel(),
          number("%.1f%%", 100 * r.seconds() / all),
          r.calls(),
          number("%.1f", 1e6 * r.seconds() / r.calls()),
          r.flops() == 0 ? "" : number("%.0f", r.flops() / 1e9 / r.seconds()));
    }
    return table;
  }

  /** How much of the time convolutions and products take, and the quick ones among them. */
  private static String products(List<Profile.Row> rows, StepBench.Row measured) {
    double peak = 1e9 * measured.peakGflops() / measured.threads();
    double all = 0;
    double products = 0;
    double quick = 0;
    for (Profile.Row r : rows) {
      all += r.seconds();
      if (r.flops() > 0 && !r.kernel().startsWith("nest")) {
        products += r.seconds();
        quick += r.flops() / r.seconds() >= QUICK * peak ? r.seconds() : 0;
      }
    }
    return String.format(
        Locale.ROOT,
        "convolutions and products: %.1f%% of the time; those at %.0f%% of a worker's peak of %.0f"
            + " GFLOP/s or more: %.1f%%",
        100 * products / all,
        100 * QUICK,
        peak / 1e9,
        100 * quick / all);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
