package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stopping, resuming and protecting a run, through the train command. */
class ResumeTest {
  @TempDir Path folder;
  private final Cli cli = new Cli();

  @Test
  void anInterruptedRunKeepsItsCheckpointAndResumesToTheSameEnd() throws Exception {
    Path whole = folder.resolve("whole");
    assertThat(train(whole, "--seed", "3")).isEqualTo(ExitCode.OK);

    Path broken = folder.resolve("broken");
    cli.jobs.interruptAfter = 13;
    assertThat(train(broken, "--seed", "3")).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(cli.err).contains("interrupted; the checkpoint of step 13 is kept");
    cli.jobs.interruptAfter = 0;
    assertThat(cli.run("train", "--resume", "--out", broken.toString())).isEqualTo(ExitCode.OK);

    assertThat(cli.err).contains("resuming " + broken + " from step 13");
    assertThat(cli.jobs.training.seed()).isEqualTo(3);
    assertThat(RunDirectory.latest(broken).orElseThrow().step()).isEqualTo(20);
    assertThat(RunDirectory.latest(broken).orElseThrow().file())
        .hasSameBinaryContentAs(RunDirectory.latest(whole).orElseThrow().file());
    assertThat(curve(broken)).isEqualTo(curve(whole));
    assertThat(RunDirectory.provenance(broken).sessions()).hasSize(2);
    assertThat(RunDirectory.provenance(broken).sessions().get(1).fromStep()).isEqualTo(13);
    assertThat(Files.readString(broken.resolve("latest")))
        .isEqualTo("checkpoint-00000020.safetensors\n");
  }

  /** What was logged, but for the clock, which begins anew in each session. */
  private static List<Map<String, Double>> curve(Path run) {
    List<Map<String, Double>> curve = new ArrayList<>();
    for (MetricsLog.Line line : MetricsLog.read(RunDirectory.metricsOf(run))) {
      Map<String, Double> values = new HashMap<>(line.values());
      values.keySet().removeAll(List.of("seconds", "processor_seconds"));
      values.put("step", (double) line.step());
      curve.add(values);
    }
    return curve;
  }

  @Test
  void aKilledRunForgetsWhatItLoggedAfterTheCheckpoint() throws Exception {
    Path run = folder.resolve("killed");
    cli.jobs.interruptAfter = 12;
    train(run);
    // As if killed: two more steps logged, the second line torn, and an older pointer.
    Files.writeString(
        run.resolve("metrics.jsonl"),
        Files.readString(run.resolve("metrics.jsonl"))
            + "{\"step\":13,\"loss\":9.0}\n{\"step\":14,\"lo");
    Files.writeString(run.resolve("latest"), "checkpoint-00000010.safetensors\n");
    cli.jobs.interruptAfter = 0;
    assertThat(cli.run("train", "--resume", "--out", run.toString())).isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains("from step 10");
    assertThat(MetricsLog.read(RunDirectory.metricsOf(run)))
        .extracting(MetricsLog.Line::step)
        .containsExactly(
            1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L, 13L, 14L, 15L, 16L, 17L, 18L, 19L,
            20L);
  }

  @Test
  void aRunIsNotOverwritten() {
    Path run = folder.resolve("run");
    train(run);
    assertThat(train(run)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err)
        .contains(run + " already holds a run; continue it with --resume or choose another --out");
  }

  @Test
  void aFolderWithOtherFilesIsNotUsed() throws Exception {
    Files.writeString(folder.resolve("thesis.tex"), "");
    assertThat(train(folder)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains(folder + " is not empty; choose another --out");
    assertThat(folder.resolve("config.yaml")).doesNotExist();
  }

  @Test
  void aMistakeLeavesNoFolder() {
    Path run = folder.resolve("run");
    cli.jobs.failure = new dev.vauban.tensor.FormatException("images.zip: truncated");
    assertThat(train(run)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run).doesNotExist();
  }

  @Test
  void aRunThatNeverBeganDoesNotBlockItsFolder() throws Exception {
    Path run = Files.createDirectory(folder.resolve("run"));
    for (String name : List.of("config.yaml", "provenance.json", ".lock", ".config.yaml.123")) {
      Files.writeString(run.resolve(name), "");
    }
    assertThat(train(run)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(run.resolve(".config.yaml.123")).doesNotExist();
  }

  @Test
  void whatAKilledSessionHadHalfWrittenIsRemoved() throws Exception {
    Path run = folder.resolve("run");
    train(run);
    List<String> half =
        List.of(
            ".checkpoint-00000020.safetensors.4711",
            ".checkpoint-00000020.safetensors.4711.6f1e2a.tmp",
            ".best.safetensors.4711",
            ".latest.4711",
            ".metrics.jsonl.4711");
    // An evaluation may be writing its page right now; the user's own files are the user's.
    List<String> others = List.of(".report.html.4711", ".notes.4711", "best.safetensors.4711");
    for (String name : half) {
      Files.writeString(run.resolve(name), "half");
    }
    for (String name : others) {
      Files.writeString(run.resolve(name), "");
    }
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--iterations", "30"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    half.forEach(name -> assertThat(run.resolve(name)).doesNotExist());
    others.forEach(name -> assertThat(run.resolve(name)).exists());
    assertThat(RunDirectory.latest(run).orElseThrow().step()).isEqualTo(30);
  }

  @Test
  void aResumedRunKeepsItsSettings() {
    Path run = folder.resolve("run");
    train(run, "--ways", "4");
    cli.environment.put("VAUBAN_WAYS", "9");
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--iterations", "30"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.episodes.ways()).isEqualTo(4);
    assertThat(cli.jobs.training.iterations()).isEqualTo(30);
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--ways", "5"))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("--ways 5: the run in " + run + " was begun with ways 4");
  }

  /** A session that was to go further and was stopped leaves the new end to the next one. */
  @Test
  void aRunKeepsTheNumberOfStepsThatItWasResumedWith() throws Exception {
    Path run = folder.resolve("run");
    train(run, "--ways", "4");
    List<String> before = Files.readAllLines(RunDirectory.configOf(run));
    cli.jobs.interruptAfter = 30;
    String[] further = {
      "train", "--resume", "--out", run.toString(), "--iterations", "40", "--keep", "3"
    };
    assertThat(cli.run(further)).isEqualTo(ExitCode.INTERRUPTED);

    before.replaceAll(
        line -> line.startsWith("iterations: ") ? line.replace("20", "40") + " on resume" : line);
    assertThat(before).anyMatch(line -> line.matches("iterations: 40 +# flag on resume"));
    assertThat(Files.readAllLines(RunDirectory.configOf(run))).isEqualTo(before);

    cli.jobs.interruptAfter = 0;
    assertThat(cli.run("train", "--resume", "--out", run.toString())).isEqualTo(ExitCode.OK);
    assertThat(RunDirectory.latest(run).orElseThrow().step()).isEqualTo(40);
  }

  @Test
  void resumingWithAFileIsRefused() throws Exception {
    Path run = folder.resolve("run");
    train(run);
    Path file = Files.writeString(folder.resolve("c.yaml"), "ways: 3\n");
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--config", file.toString()))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("--config with --resume");
  }

  @Test
  void anUnwritableFolderIsOneSentence() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThat(train(file.resolve("run"))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("cannot write").contains("choose a folder");
    assertThat(train(file)).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains(file + " is a file; choose another --out");
    assertThat(cli.err.lines()).hasSize(1);
  }

  private ExitCode train(Path out, String... more) {
    String[] arguments = new String[more.length + 7];
    System.arraycopy(
        new String[] {
          "train", "--iterations", "20", "--checkpoint-every", "5", "--out", out.toString()
        },
        0,
        arguments,
        0,
        7);
    System.arraycopy(more, 0, arguments, 7, more.length);
    return cli.run(arguments);
  }
}
