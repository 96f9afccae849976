package dev.vauban.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
  @TempDir Path temp;

  @Test
  void keepsTheNewestCheckpoints() {
    Path folder = temp.resolve("run");
    try (RunDirectory run = RunDirectory.create(folder, "ways: 5\n")) {
      for (long step = 100; step <= 500; step += 100) {
        long now = step;
        run.save(step, 2, file -> Files.writeString(file, "step " + now));
      }
    }
    assertThat(RunDirectory.checkpoints(folder))
        .extracting(Checkpoint::step)
        .containsExactly(400L, 500L);
    assertThat(RunDirectory.latest(folder).orElseThrow().file()).hasContent("step 500");
    assertThat(folder.resolve("config.yaml")).hasContent("ways: 5\n");
  }

  @Test
  void aFullDiskKeepsTheCheckpointAndThePointer() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full on this system");
    Path folder = temp.resolve("run");
    try (RunDirectory run = RunDirectory.create(folder, "")) {
      run.save(100, 1, file -> Files.writeString(file, "good"));
      assertThatThrownBy(() ->
              run.save(
                  200,
                  1,
                  file -> {
                    Files.writeString(file, "half");
                    Files.writeString(full, "other half");
                  }))
          .isInstanceOfSatisfying(
              CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED))
          .hasMessageContaining("no space left on the disk");
    }
    Checkpoint latest = RunDirectory.latest(folder).orElseThrow();
    assertThat(latest.step()).isEqualTo(100);
    assertThat(latest.file()).hasContent("good");
    assertThat(RunDirectory.checkpoints(folder)).hasSize(1);
  }

  @Test
  void aFullDiskIsSaidByTheMetricsToo() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full on this system");
    try (MetricsLog log = MetricsLog.open(full)) {
      assertThatThrownBy(() -> log.append(1, Map.of("loss", 0.5)))
          .isInstanceOfSatisfying(
              CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED))
          .hasMessageContaining("no space left on the disk while writing /dev/full");
    }
  }

  @Test
  void aLostPointerIsNoLoss() throws Exception {
    Path folder = temp.resolve("run");
    try (RunDirectory run = RunDirectory.create(folder, "")) {
      run.save(10, 3, file -> Files.writeString(file, "a"));
      run.save(20, 3, file -> Files.writeString(file, "b"));
    }
    Files.writeString(folder.resolve("latest"), "checkpoint-00000099.safetensors\n");
    assertThat(RunDirectory.latest(folder).orElseThrow().step()).isEqualTo(20);
    Files.delete(folder.resolve("latest"));
    assertThat(RunDirectory.latest(folder).orElseThrow().step()).isEqualTo(20);
  }

  @Test
  void twoWritersInOneProcessAreKeptApart() {
    Path folder = temp.resolve("run");
    RunDirectory.create(folder, "").close();
    try (RunDirectory first = RunDirectory.resume(folder, Optional.empty())) {
      assertThatThrownBy(() -> RunDirectory.resume(folder, Optional.empty()))
          .isInstanceOf(CommandException.class)
          .hasMessageContaining(
              first.folder()
                  + " is being written by another process (process "
                  + ProcessHandle.current().pid()
                  + ")");
    }
    RunDirectory.resume(folder, Optional.empty()).close();
  }

  @Test
  void metricsThatJsonCannotExpressAreNull() {
    Path folder = temp.resolve("run");
    try (RunDirectory run = RunDirectory.create(folder, "")) {
      run.log(1, Map.of("loss", Double.NaN));
      run.log(2, Map.of("loss", 0.5));
    }
    assertThat(folder.resolve("metrics.jsonl"))
        .content()
        .isEqualTo("{\"step\":1,\"loss\":null}\n{\"step\":2,\"loss\":0.5}\n");
    List<MetricsLog.Line> lines = MetricsLog.read(folder.resolve("metrics.jsonl"));
    assertThat(lines.get(0).values().get("loss")).isNaN();
    assertThat(lines.get(1)).isEqualTo(new MetricsLog.Line(2, Map.of("loss", 0.5)));
  }

  @Test
  void aDamagedProvenanceIsOneSentence() throws Exception {
    Path folder = temp.resolve("run");
    RunDirectory.create(folder, "").close();
    Files.writeString(folder.resolve("provenance.json"), "{");
    assertThatThrownBy(() -> RunDirectory.provenance(folder))
        .isInstanceOf(CommandException.class)
        .hasMessageContaining("provenance.json is damaged");
  }
}
