package dev.vauban.bench.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.bench.peers.MetaStep.Adaptation;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.bench.peers.python.Python;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.meta.Order;
import dev.vauban.tensor.Precision;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeersTest {
  @TempDir Path folder;
  private final List<String> said = new ArrayList<>();

  @Test
  void noneNeedsNothing() {
    assertThat(Peers.NONE.open(said::add)).isEmpty();
    assertThat(said).isEmpty();
  }

  @Test
  void withoutLibtorchOneSentenceSaysWhatToRun() {
    assertThatThrownBy(() -> Peers.JVM.open(said::add))
        .isInstanceOfSatisfying(
            CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.ENVIRONMENT))
        .hasMessageContaining("not on the class path")
        .hasMessageContaining("./vauban bench --peers jvm");
  }

  @Test
  void withoutPythonOrTorchOneSentenceSaysSo() throws IOException {
    assertThat(Python.find(null, said::add)).isEmpty();
    assertThat(Python.find(folder.toString(), said::add)).isEmpty();
    Path without = python("a", "exit 1");
    assertThat(Python.find(without.toString(), said::add)).isEmpty();
    assertThat(said)
        .containsExactly(
            "there is no Python on the PATH",
            "there is no Python on the PATH",
            "no Python on the PATH has torch (asked "
                + without.resolve("python3")
                + "); 'pip install torch' brings it");
  }

  @Test
  void theFirstPythonWithTorchIsTaken() throws IOException {
    Path without = python("a", "exit 1");
    Path with = python("b", "echo 9.8.7");
    List<Framework> found =
        Python.find(without + File.pathSeparator + with, sentence -> said.add(sentence));
    assertThat(found).containsExactly(new Python(with.resolve("python3"), "9.8.7"));
    assertThat(found.getFirst().name()).isEqualTo("PyTorch 9.8.7 (Python)");
    assertThat(said).isEmpty();
  }

  @Test
  void aPythonProcessIsAskedAndItsFailuresAreItsOwn() throws IOException {
    Path bin =
        python(
            "p",
            "echo '{\"torch\":\"9\",\"allocator\":\"malloc\",\"ways\":[\"loop\"]}'",
            "echo '{\"seconds\":1.5,\"cpu_seconds\":2.5}'",
            "echo '{}'",
            "printf '\\000\\000\\200\\077'", // 1.0
            "echo '{\"error\":\"RuntimeError: no\"}'",
            "exec cat > /dev/null");
    PeerStep way = new Python(bin.resolve("python3"), "9").ways(step(), 1).getFirst();
    try (way) {
      assertThat(way.name()).isEqualTo("PyTorch 9 (Python), loop, malloc");
      assertThat(way.run()).isEqualTo(new Timing(1.5, 2.5));
      assertThat(way.result()).containsOnlyKeys("w").containsEntry("w", new float[] {1});
      assertThatThrownBy(way::run)
          .isInstanceOf(PeerException.class)
          .hasMessage("PyTorch 9 (Python): RuntimeError: no");
    }
  }

  @Test
  void allocatorsAreKnownByTheirLibraries() {
    assertThat(Allocator.in("7f-80 r-xp /lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4.5.10"))
        .isEqualTo("tcmalloc");
    assertThat(Allocator.in("7f-80 r-xp /lib/x86_64-linux-gnu/libc.so.6")).isEqualTo("malloc");
  }

  @Test
  void gradientsAreComparedAsOneVector() {
    Map<String, float[]> expected = Map.of("a", new float[] {3}, "b", new float[] {0, 4});
    assertThat(Gradients.error(expected, expected)).isZero();
    assertThat(Gradients.error(Map.of("a", new float[] {3}, "b", new float[] {0.5f, 4}), expected))
        .isEqualTo(0.1);
    assertThat(Gradients.error(Map.of("a", new float[] {Float.NaN}, "b", new float[2]), expected))
        .isInfinite();
  }

  private static MetaStep step() {
    Values one = new Values(new int[] {1, 1, 1, 1}, new float[] {1});
    return new MetaStep(
        new Adaptation(1, 0.1, Order.FIRST, MetaStep.Adapted.ALL),
        null,
        new MetaStep.Adam(1e-3, 0.9, 0.999, 1e-8),
        Map.of("w", one),
        List.of(new MetaStep.Task(one, new int[1], one, new int[1], null)),
        Precision.F32);
  }

  /** A folder with a program named python3. */
  private Path python(String name, String... lines) throws IOException {
    Path bin = Files.createDirectories(folder.resolve(name));
    Path script = bin.resolve("python3");
    Files.writeString(script, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return bin;
  }
}
