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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
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
    BenchReport report =
        new BenchReport(
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
    return new Answer(code, report.text(m, session.console().width()), report);
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
}
