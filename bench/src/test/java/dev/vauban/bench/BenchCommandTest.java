package dev.vauban.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.bench.steps.StepBench;
import dev.vauban.cli.Main;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.cli.terminal.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void theJsonHasWhatItsReadersExpect() {
    assertThat(run("--only", "anil-28", "--threads", "1", "--rounds", "1", "--warm", "0", "--json"))
        .isEqualTo(ExitCode.OK);
    Map<?, ?> report = Json.read(out.toString(StandardCharsets.UTF_8), Map.class);
    assertThat(keys(report)).contains("date", "host", "jdk", "commit", "load", "peak", "rows");
    assertThat(keys(report.get("peak")))
        .containsExactlyInAnyOrder("f32_gemm_gflops_1t", "copy_gb_per_s_1t");
    Map<?, ?> row = (Map<?, ?>) ((List<?>) report.get("rows")).getFirst();
    assertThat(keys(row))
        .contains("name", "precision", "threads", "ms", "ms_min", "ms_max", "gflop")
        .contains("share_of_peak", "rss_mb", "peers");
    assertThat(row.get("name")).isEqualTo("anil-28");
    assertThat((List<?>) row.get("peers")).isEmpty();
    assertThat(((Number) row.get("share_of_peak")).doubleValue()).isBetween(0.0, 4.0);
  }

  @Test
  void aPeerHasNameTimeAndRatio() {
    String json = Json.line(new StepBench.Peer("x", 900, 3, 800, 1000, 2.9, 1e-6, 1e-4));
    Map<?, ?> peer = Json.read(json, Map.class);
    assertThat(keys(peer)).contains("name", "ms", "ratio", "ms_min", "ms_max", "ratio_cpu");
    assertThat(peer.get("ratio")).isEqualTo(3.0);
  }

  @Test
  void anUnknownChoiceOfPeersIsRefused() {
    assertThat(run("--peers", "pyton")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("pyton").contains("python");
  }

  @Test
  void peersThatAreNotThereAreRefusedBeforeAnythingIsTimed() {
    assertThat(run("--only", "maml-84", "--peers", "jvm")).isEqualTo(ExitCode.ENVIRONMENT);
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("./vauban bench --peers jvm");
  }

  private ExitCode run(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "bench";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    Console console =
        Console.plain(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return Main.run(
        console,
        Map.of(),
        () -> {
          throw new AssertionError("benchmarks ask for no job");
        },
        new Interrupt(),
        all);
  }

  private static List<String> keys(Object map) {
    return ((Map<?, ?>) map).keySet().stream().map(Object::toString).toList();
  }
}
