package dev.vauban.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.adversarial.Attacks;
import dev.vauban.cli.terminal.Json;
import dev.vauban.meta.MetaLearners;
import dev.vauban.natives.cuda.FakeCuda;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is carried to a machine with a card, run on the card that is the processor. */
class GpuCheckTest {
  private static final Path SCRIPTS =
      Path.of(System.getProperty("vauban.root", ".."), "bench", "gpu-check");

  @TempDir Path folder;

  /** In a JVM of its own: which card there is, is decided once in each. */
  private int check(Path cuda, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx1g",
                "-Dvauban.cuda=" + cuda,
                "-cp",
                System.getProperty("java.class.path"),
                GpuCheck.class.getName(),
                "--json=" + folder.resolve("out.json")));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // Beside the library, so that a later run need not compile the kernels again.
    builder.environment().put("XDG_CACHE_HOME", FakeCuda.folder().resolve("cache").toString());
    return builder.redirectOutput(folder.resolve("out.txt").toFile()).start().waitFor();
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("out.txt"));
  }

  @Test
  void theFakeCardIsRight() throws IOException, InterruptedException {
    int code = check(FakeCuda.folder(), "--parts=ops,algorithms", "--each=150", "--precisions=f32");
    assertThat(code).as(output()).isZero();
    assertThat(output())
        .contains("Fake card 0 (sm_90)", "second gradient f32", "algorithm f32")
        .doesNotContain("WRONG");
    Map<?, ?> json = Json.read(Files.readString(folder.resolve("out.json")).strip(), Map.class);
    List<?> findings = (List<?>) ((Map<?, ?>) json.get("results")).get("findings");
    assertThat(findings).hasSizeGreaterThan(15);
  }

  /** Ceilings and a meta-step: what they take says nothing here, that they run does. */
  @Test
  void theFakeCardIsTimed() throws IOException, InterruptedException {
    int code =
        check(
            FakeCuda.folder(),
            "--parts=speed",
            "--size=small",
            "--tasks=2",
            "--rounds=1",
            "--precisions=f32",
            "--cases=anil-28",
            "--python=");
    assertThat(code).as(output()).isZero();
    assertThat(output()).contains("ceilings: copy", "anil-28-small").doesNotContain("did not run");
    Map<?, ?> json = Json.read(Files.readString(folder.resolve("out.json")).strip(), Map.class);
    List<?> rows = (List<?>) ((Map<?, ?>) json.get("results")).get("rows");
    assertThat(rows).hasSize(1);
    Map<?, ?> row = (Map<?, ?>) rows.getFirst();
    assertThat(row.get("launches")).isEqualTo(1.0);
    assertThat((double) row.get("card_milliseconds")).isPositive();
    assertThat((double) row.get("idle_share")).isBetween(0.0, 1.0);
    assertThat((double) row.get("matmul_share")).isPositive();
    assertThat((double) row.get("gigabytes")).isBetween(1e-3, 1e-1);
    assertThat((double) row.get("memory_share")).isBetween(1e-9, 1.0);
  }

  @Test
  void aMachineWithoutACardIsToldSo() throws IOException, InterruptedException {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    int code = check(empty, "--parts=ops");
    Assumptions.assumeFalse(code == 0, "this machine has a card");
    assertThat(code).isEqualTo(3);
    assertThat(output()).contains("gpu-check: ").doesNotContain("\tat ");
  }

  @Test
  void aWrongOptionIsNamed() {
    assertThatThrownBy(() -> GpuCheck.Options.parse("--tassks=3"))
        .hasMessage("there is no option --tassks");
    assertThatThrownBy(() -> GpuCheck.Options.parse("ops"))
        .hasMessage("'ops' is no option; they are written --name=value");
    GpuCheck.Options options =
        GpuCheck.Options.parse("--tasks=4,8", "--cases=maml-28", "--python=");
    assertThat(options.tasks()).containsExactly(4, 8);
    assertThat(options.speed("maml-28")).isTrue();
    assertThat(options.speed("maml-84")).isFalse();
    assertThat(options.python()).isEmpty();
    assertThat(options.peerDevice()).isEqualTo("cuda");
  }

  @Test
  void theTableSaysWhatIsWrongAndWhoIsFaster() {
    List<Finding> findings =
        List.of(
            Finding.of("op f32", "add 3", 1e-8, 1e-6),
            Finding.of("op f32", "mul 3", 1e-3, 1e-6),
            Finding.of("op f32", "nothing", Double.NaN, 1e-6),
            Finding.failed("op f32", "exp 3", 1e-6, new IllegalStateException("it fell")));
    SpeedRow row =
        new SpeedRow(
            "maml-28",
            4,
            "f32",
            2,
            1.5,
            1,
            0.25,
            10,
            0.4,
            3,
            0.7,
            1,
            100,
            List.of(
                new SpeedRow.Peer("A", 8, 1e-5, ""),
                new SpeedRow.Peer("B", 6, 1e-5, ""),
                new SpeedRow.Peer("C", Double.NaN, Double.NaN, "no memory")),
            "");
    GpuCheck.Results results =
        new GpuCheck.Results(
            "a card",
            List.of(),
            1,
            findings,
            null,
            List.of(
                row, SpeedRow.failed("maml-84", 256, "bf16", new IllegalStateException("big"))));
    assertThat(results.right()).isFalse();
    assertThat(row.speedup()).isEqualTo(3);
    assertThat(CheckTable.of(results))
        .contains(
            "WRONG op f32: mul 3: error 0.0010, allowed 1.0e-06",
            "WRONG op f32: nothing: error NaN",
            "WRONG op f32: exp 3: it fell",
            "A 8.000; B 6.000; C left out (no memory);",
            "25%",
            "40.0%",
            "70.0%",
            "did not run: big");
  }

  /** The card's test takes a sample of them; here is that none of them fails before it runs. */
  @Test
  void everyAlgorithmIsAProgram() {
    assertThat(AlgorithmChecks.programs())
        .hasSizeGreaterThan(MetaLearners.names().size() + Attacks.names().size())
        .allSatisfy(p -> assertThat(p.outputs().has("gradient")).isTrue());
  }

  @Test
  void errorsAreRelativeToTheLargestElement() {
    assertThat(OpChecks.error(new double[] {1, 2.5}, new double[] {1, 2})).isEqualTo(0.25);
    assertThat(OpChecks.error(new double[] {Double.NaN}, new double[] {Double.NaN})).isZero();
    assertThat(OpChecks.error(new double[] {Double.NaN}, new double[] {1})).isInfinite();
    assertThat(OpChecks.error(new double[] {1e300}, new double[] {Double.POSITIVE_INFINITY}))
        .isInfinite();
  }

  @ParameterizedTest
  @ValueSource(strings = {"peer_protocol.py", "peer_torch.py", "peer_jax.py"})
  void thePeersAreProgramsThatPythonCanRead(String script)
      throws IOException, InterruptedException {
    Path source = SCRIPTS.resolve(script);
    Process python;
    try {
      python =
          new ProcessBuilder(
                  "python3",
                  "-c",
                  "import sys; compile(open(sys.argv[1]).read(), 'x', 'exec')",
                  source.toString())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      Assumptions.abort("no python3 here");
      return;
    }
    String said = new String(python.getInputStream().readAllBytes());
    assertThat(python.waitFor()).as(said).isZero();
  }

  /** The README's list of cases and options is what there is. */
  @Test
  void theReadmeListsEveryOption() throws IOException {
    String readme = Files.readString(SCRIPTS.resolve("README.md"));
    String source =
        Stream.of(GpuCheck.Options.class.getRecordComponents())
            .map(c -> c.getName().equals("peerSeconds") ? "peer-seconds" : c.getName())
            .filter(name -> !name.equals("peers")) // the script gives it
            .collect(Collectors.toCollection(TreeSet::new))
            .toString();
    for (String option : source.replaceAll("[\\[\\] ]", "").split(",")) {
      assertThat(readme).contains("`--" + option + "=`");
    }
  }
}
