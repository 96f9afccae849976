package dev.vauban.bench.gpu;

import dev.vauban.cli.terminal.Json;
import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.CudaReport;
import dev.vauban.tensor.Device;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Vauban on this machine's card: is it right, and how fast is it beside PyTorch and JAX. {@code
 * bench/gpu-check/build.sh} packs it with a Java of its own for a machine without one.
 */
public final class GpuCheck {
  private static final String TF32 = "vauban.tf32"; // read when a CUDA device is opened

  private GpuCheck() {}

  /**
   * What is run.
   *
   * @param device its name for {@link Device#open}
   * @param parts of {@code ops, algorithms, speed}
   * @param seed of all random inputs of the correctness part
   * @param each n-th row of the correctness part; 1 for all
   * @param tasks of meta-steps
   * @param precisions of {@code f32, tf32, bf16}
   * @param cases names of speed rows; empty for all
   * @param size {@code full}, or {@code small}: little programs, which only show that it works
   * @param rounds per speed row
   * @param python the interpreter for peers, if there is one
   * @param peers the folder with the peers' scripts
   * @param scripts the peers
   * @param peerSeconds one answer of a peer may take
   * @param json where to write everything
   */
  record Options(
      String device,
      List<String> parts,
      long seed,
      int each,
      List<Integer> tasks,
      List<String> precisions,
      List<String> cases,
      String size,
      int rounds,
      Optional<Path> python,
      Path peers,
      List<String> scripts,
      long peerSeconds,
      Optional<Path> json) {

    /** The device, computing products in TF32 if that is the precision. */
    Device open(String precision) {
      System.setProperty(TF32, precision.equals("tf32") ? "on" : "off");
      return Device.open(device);
    }

    boolean isCard() {
      return device.startsWith("cuda");
    }

    String peerDevice() {
      return isCard() ? "cuda" : "cpu";
    }

    boolean speed(String name) {
      return cases.isEmpty() || cases.contains(name);
    }

    static Options parse(String... arguments) {
      Map<String, String> given = new LinkedHashMap<>();
      for (String argument : arguments) {
        int equals = argument.indexOf('=');
        if (!argument.startsWith("--") || equals < 0) {
          throw new IllegalArgumentException(
              "'" + argument + "' is no option; they are written --name=value");
        }
        given.put(argument.substring(2, equals), argument.substring(equals + 1));
      }
      Options options =
          new Options(
              given.getOrDefault("device", "cuda:0"),
              list(given.getOrDefault("parts", "ops,algorithms,speed")),
              Long.parseLong(given.getOrDefault("seed", String.valueOf(System.nanoTime()))),
              Integer.parseInt(given.getOrDefault("each", "1")),
              list(given.getOrDefault("tasks", "4,32,256")).stream().map(Integer::valueOf).toList(),
              list(given.getOrDefault("precisions", "f32,tf32,bf16")),
              list(given.getOrDefault("cases", "")),
              given.getOrDefault("size", "full"),
              Integer.parseInt(given.getOrDefault("rounds", "20")),
              Optional.ofNullable(given.get("python")).filter(p -> !p.isEmpty()).map(Path::of),
              Path.of(given.getOrDefault("peers", "bench/gpu-check")),
              list(given.getOrDefault("scripts", "peer_torch.py,peer_jax.py")),
              Long.parseLong(given.getOrDefault("peer-seconds", "600")),
              Optional.ofNullable(given.get("json")).map(Path::of));
      given
          .keySet()
          .removeAll(
              List.of(
                  "device",
                  "parts",
                  "seed",
                  "each",
                  "tasks",
                  "precisions",
                  "cases",
                  "size",
                  "rounds",
                  "python",
                  "peers",
                  "scripts",
                  "peer-seconds",
                  "json"));
      if (!given.isEmpty()) {
        throw new IllegalArgumentException(
            "there is no option --" + given.keySet().iterator().next());
      }
      return options;
    }

    private static List<String> list(String text) {
      return text.isEmpty() ? List.of() : Arrays.asList(text.split(","));
    }
  }

  /**
   * Everything that was found.
   *
   * @param device its description
   * @param cuda the machine's cards and libraries, a sentence each
   * @param seed of the correctness part
   * @param findings of the correctness part
   * @param ceilings of the card; null if none was measured
   * @param rows of the speed part
   */
  record Results(
      String device,
      List<String> cuda,
      long seed,
      List<Finding> findings,
      Ceilings ceilings,
      List<SpeedRow> rows) {
    boolean right() {
      return findings.stream().allMatch(Finding::passed)
          && rows.stream().allMatch(r -> r.failure().isEmpty());
    }
  }

  /** Runs it; exit code 1 if something is wrong, 2 for a wrong option, 3 without a card. */
  public static void main(String[] arguments) {
    try {
      Options options = Options.parse(arguments);
      Results results = run(options, System.out);
      System.out.println(CheckTable.of(results));
      if (options.json().isPresent()) {
        write(results, options.json().get());
      }
      System.exit(results.right() ? 0 : 1);
    } catch (IllegalArgumentException e) {
      System.err.println("gpu-check: " + e.getMessage());
      System.exit(2);
    } catch (NativeException e) {
      System.err.println("gpu-check: " + e.getMessage());
      System.exit(3);
    }
  }

  static Results run(Options options, PrintStream progress) {
    List<Finding> findings = new ArrayList<>();
    List<SpeedRow> rows = new ArrayList<>();
    List<String> cuda = new ArrayList<>();
    CudaReport report = CudaReport.ofThisMachine();
    report.cards().forEach(c -> cuda.add(c.toString()));
    report.libraries().forEach(l -> cuda.add(l.toString()));
    cuda.forEach(progress::println);
    progress.println("seed " + options.seed());
    String description;
    try (Device device = options.open("f32")) {
      description = device.description();
      progress.println(description);
      correct(options, device, findings, progress);
    }
    if (options.precisions().contains("tf32") && options.isCard()) {
      try (Device device = options.open("tf32")) {
        inTf32(options, device, findings, progress);
      }
    }
    Ceilings ceilings = null;
    if (options.parts().contains("speed")) {
      if (options.isCard()) {
        int colon = options.device().indexOf(':');
        ceilings =
            Ceilings.of(colon < 0 ? 0 : Integer.parseInt(options.device().substring(colon + 1)));
      }
      new SpeedRows(options, Optional.ofNullable(ceilings), progress::println).all(rows::add);
    }
    return new Results(description, cuda, options.seed(), findings, ceilings, rows);
  }

  private static void correct(
      Options options, Device device, List<Finding> findings, PrintStream progress) {
    if (options.parts().contains("ops")) {
      new OpChecks(device, options.seed(), finding -> note(finding, findings, progress))
          .all(new OpChecks.Rows(options.each()));
    }
    if (options.parts().contains("algorithms")) {
      AlgorithmChecks checks =
          new AlgorithmChecks(device, options.seed(), f -> note(f, findings, progress));
      checks.inF32(options.each());
      if (options.precisions().contains("bf16")) {
        checks.inBf16();
      }
    }
  }

  private static void inTf32(
      Options options, Device device, List<Finding> findings, PrintStream progress) {
    if (options.parts().contains("ops")) {
      new OpChecks(device, options.seed(), f -> note(f, findings, progress))
          .products(new OpChecks.Rows(options.each()));
    }
    if (options.parts().contains("algorithms")) {
      new AlgorithmChecks(device, options.seed(), f -> note(f, findings, progress)).inTf32();
    }
  }

  private static void note(Finding finding, List<Finding> findings, PrintStream progress) {
    findings.add(finding);
    if (!finding.passed()) {
      progress.println("WRONG " + CheckTable.line(finding));
    }
  }

  private static void write(Results results, Path file) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("time", Instant.now().toString());
    json.put("java", System.getProperty("java.vm.version"));
    json.put("results", results);
    try {
      Files.writeString(file, Json.line(json) + "\n");
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
