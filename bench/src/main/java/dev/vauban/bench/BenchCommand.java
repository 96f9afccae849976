package dev.vauban.bench;

import dev.vauban.bench.kernels.KernelBench;
import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.Peers;
import dev.vauban.bench.steps.BenchCase;
import dev.vauban.bench.steps.CopyPeak;
import dev.vauban.bench.steps.Curves;
import dev.vauban.bench.steps.Starts;
import dev.vauban.bench.steps.StepBench;
import dev.vauban.cli.command.Command;
import dev.vauban.cli.config.Named;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.OutputPath;
import dev.vauban.cli.terminal.Json;
import dev.vauban.cli.terminal.TextTable;
import dev.vauban.nn.NearestName;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.backend.cpu.Profile;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code vauban bench}: how fast, as a share of what this machine can do. */
@CommandLine.Command(
    name = "bench",
    description = {
      "Time meta-steps, attacks and adversarial training as a share of this machine's peak.",
      "The peak is that of oneDNN's f32 matrix product, measured in turn with them; FLOP are those of"
          + " the definitions. Convolutions by Winograd's tiles do with fewer multiplications: a share"
          + " may exceed 100%%. The row 'kernels' runs the kernel benchmarks (JMH) instead."
    },
    footer = {"", "Example:", "  vauban bench --only maml-28 --threads 1,2"})
public final class BenchCommand implements Command {
  private static final String KERNELS = "kernels";
  private static final String CURVES = "curves";
  private static final String START = "start";
  private static final Map<String, String> EXTRA = new LinkedHashMap<>();

  static {
    EXTRA.put(CURVES, "how the cost grows with tasks, inner steps and attack steps");
    EXTRA.put(
        START, "fresh processes: compiling, the first step, most memory; peers of the JVM too");
    EXTRA.put(KERNELS, "JMH: products, convolutions, fused nests, pooling, whole steps");
  }

  private static final double QUICK = 0.8; // of the peak
  private static final int PROFILED = 40; // kernels shown; the rest is in the JSON
  private static final int KERNEL_WARM =
      10; // small nests need 10,000 calls until they are compiled

  @Option(names = "--list", description = "list the rows, and stop")
  boolean list;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      split = ",",
      description = "these rows, separated by commas (default: all but curves, start and kernels)")
  List<String> only = List.of();

  @Range(min = 1, max = Range.MOST_WORKERS)
  @Option(
      names = "--threads",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,2",
      description = "numbers of threads (default: ${DEFAULT-VALUE})")
  List<Integer> threads;

  @Range(min = 1)
  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "11",
      description = "measurements of each row (default: ${DEFAULT-VALUE})")
  int rounds;

  @Range(min = 0)
  @Option(
      names = "--warm",
      paramLabel = "SECONDS",
      defaultValue = "5",
      description =
          "least warm-up of each row with nothing left to compile (default: ${DEFAULT-VALUE})")
  int warm;

  @Option(
      names = "--precision",
      paramLabel = "P",
      defaultValue = "f32",
      description =
          "of large products in the rows, peers' too: f32, bf16 (default: ${DEFAULT-VALUE})")
  Precision precision;

  @Option(
      names = "--match",
      paramLabel = "REGEX",
      defaultValue = ".*",
      description = "which kernel benchmarks (default: all)")
  Pattern match;

  @Option(
      names = "--profile",
      description = {
        "time every kernel too, and show where the time of all chosen rows goes;",
        "warm-up is included"
      })
  boolean profile;

  @Option(
      names = "--peers",
      paramLabel = "WHICH",
      defaultValue = "none",
      converter = PeersConverter.class,
      description = {
        "time others on the same programs, in turn with ours: none, python (its",
        "torch), jvm (libtorch, which ./vauban then downloads: 110 MB), all",
        "(default: ${DEFAULT-VALUE})"
      })
  Peers peers;

  @Option(names = "--out", paramLabel = "FILE", description = "also write the JSON to this file")
  Path out;

  /** Reads {@code --peers}. */
  static final class PeersConverter implements ITypeConverter<Peers> {
    @Override
    public Peers convert(String text) {
      try {
        return Named.parse(Peers.class, "choice of peers", text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /**
   * What {@code --json} prints.
   *
   * @param date in UTC
   * @param host processor and cores
   * @param jdk vendor and version
   * @param commit of the sources
   * @param load how many threads wanted a processor, on average of the last minute at the end;
   *     above the number of cores something else ran too
   * @param peak what the machine can do, by number of threads: best f32 GFLOP/s of the matrix
   *     product, best GB/s of copying memory (read plus written)
   * @param rows the measured programs
   * @param curves with {@code --only curves}, how costs grow
   * @param start with {@code --only start}, what fresh processes take; else null
   * @param kernels the measured kernels
   * @param profile with {@code --profile}, the time of each kernel of the plans
   */
  record Report(
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
      List<Profile.Row> profile) {}

  /** JMH has no safe point. */
  @Override
  public Stop stop() {
    return only.contains(KERNELS) ? Stop.AT_ONCE : Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    if (list) {
      return listing(session);
    }
    List<BenchCase> cases = chosen();
    if (out != null) {
      OutputPath.requireFile("--out", out);
    }
    Profile.enable(profile);
    List<Framework> frameworks = peers.open(session.console()::notice);
    List<StepBench.Row> rows = measure(cases, bench(frameworks, session));
    List<Curves.Curve> curves =
        only.contains(CURVES) ? new Curves(bench(List.of(), session)).measure(threads) : List.of();
    Starts.Report start =
        only.contains(START) ? new Starts(bench(frameworks, session)).measure(threads) : null;
    List<KernelBench.Row> kernels =
        only.contains(KERNELS)
            ? KernelBench.run(match.pattern(), Math.max(KERNEL_WARM, warm), session.console())
            : List.of();
    Machine m = Machine.here();
    Report report =
        new Report(
            m.date(),
            m.host(),
            m.jdk(),
            m.commit(),
            load(),
            peaks(rows),
            rows,
            curves,
            start,
            kernels,
            profile ? Profile.rows() : List.of());
    ExitCode code =
        out == null
            ? ExitCode.OK
            : session.keep(() -> AtomicFile.write(out, Json.pretty(report) + "\n"));
    return new Answer(code, text(m, report, session.console().width()), report);
  }

  private List<StepBench.Row> measure(List<BenchCase> cases, StepBench bench) {
    List<StepBench.Row> rows = new ArrayList<>();
    try {
      for (BenchCase step : cases) {
        rows.addAll(bench.measure(step, threads));
      }
    } catch (PeerException e) {
      throw CommandException.failed("a peer failed while it was timed: " + e.getMessage(), e);
    }
    return rows;
  }

  private StepBench bench(List<Framework> frameworks, Session session) {
    return new StepBench(rounds, warm, frameworks, session.console(), session.interrupt());
  }

  private List<BenchCase> chosen() {
    if (only.isEmpty()) {
      return BenchCase.all().stream().map(c -> c.in(precision)).toList();
    }
    List<String> names = new ArrayList<>(BenchCase.all().stream().map(BenchCase::name).toList());
    names.addAll(EXTRA.keySet());
    for (String name : only) {
      if (!names.contains(name)) {
        throw CommandException.badInput(NearestName.unknown("row", name, names));
      }
    }
    return BenchCase.all().stream()
        .filter(c -> only.contains(c.name()))
        .map(c -> c.in(precision))
        .toList();
  }

  private static Answer listing(Session session) {
    TextTable table = new TextTable().left("name").left("what it does");
    Map<String, String> json = new LinkedHashMap<>();
    for (BenchCase step : BenchCase.all()) {
      table.row(step.name(), step.title());
      json.put(step.name(), step.title());
    }
    EXTRA.forEach(table::row);
    json.putAll(EXTRA);
    return Answer.ok(table.format(session.console().width()), Map.of("rows", json));
  }

  private static double load() {
    return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
  }

  private static Map<String, Double> peaks(List<StepBench.Row> rows) {
    Map<String, Double> peak = new TreeMap<>();
    for (StepBench.Row row : rows) {
      peak.merge("f32_gemm_gflops_" + row.threads() + "t", row.peakGflopsMax(), Math::max);
      peak.computeIfAbsent(
          "copy_gb_per_s_" + row.threads() + "t",
          name -> CopyPeak.gigabytesPerSecond(row.threads()));
    }
    return peak;
  }

  private static String text(Machine machine, Report report, int width) {
    StringBuilder s = new StringBuilder(machine.line());
    s.append(number("; load %.1f%n", report.load()));
    int wide = Math.max(width, 130);
    if (!report.rows().isEmpty()) {
      s.append(steps(report.rows()).format(wide));
      report.rows().forEach(row -> row.peers().forEach(p -> s.append(peer(row, p))));
    }
    if (!report.curves().isEmpty()) {
      s.append(curves(report.curves()).format(wide));
    }
    if (report.start() != null) {
      s.append(starts(report.start()).format(wide));
      s.append(number("%na JVM that does nothing: %.0f MiB", report.start().idleMb()));
    }
    if (!report.kernels().isEmpty()) {
      s.append(kernels(report.kernels()).format(wide));
    }
    if (!report.profile().isEmpty()) {
      s.append("\n\n").append(profile(report.profile()).format(wide));
      if (!report.rows().isEmpty()) {
        s.append("\n").append(products(report.profile(), report.rows().getFirst()));
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
