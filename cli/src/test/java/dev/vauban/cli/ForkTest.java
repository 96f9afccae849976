package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.cli.run.Checkpoint;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own shows: exit statuses, signals, locks, class loading. */
class ForkTest {
  private static final List<String> VECTORS = List.of("--add-modules", "jdk.incubator.vector");

  @TempDir Path folder;

  @Test
  void theExitStatusReachesTheShell() throws Exception {
    assertThat(finish(start(List.of(), "--version"))).isZero();
    assertThat(finish(start(List.of(), "trian"))).isEqualTo(2);
    assertThat(err()).contains("did you mean 'train'?");
    assertThat(Files.readString(out())).isEmpty();
  }

  @Test
  void ctrlCKeepsTheCheckpointAndExits130() throws Exception {
    Path run = folder.resolve("run");
    Process process =
        start(
            List.of("-Dstep.millis=20"),
            "train",
            "--out",
            run.toString(),
            "--iterations",
            "5000",
            "--checkpoint-every",
            "1000");
    awaitMetrics(run);
    signal(process, "INT");
    assertThat(finish(process)).isEqualTo(130);
    long step = RunDirectory.latest(run).orElseThrow().step();
    assertThat(step).isBetween(1L, 4999L);
    assertThat(err())
        .contains("stopping at the next safe point")
        .contains("interrupted; the checkpoint of step " + step + " is kept")
        .doesNotContain("Exception");
  }

  /**
   * With the learning modules: Ctrl-C in the middle of a validation, then a kill, then to the end;
   * no trace of either.
   */
  @Test
  void aRunThatWasInterruptedAndKilledEndsBitIdentical() throws Exception {
    Path run = folder.resolve("run");
    Process interrupted = launch(Main.class, VECTORS, learning(run, "1000000"));
    awaitStep(run, 50);
    signal(interrupted, "INT");
    assertThat(finish(interrupted)).as(err()).isEqualTo(130);
    assertThat(err())
        .contains("interrupted; the checkpoint of step 50 is kept")
        .doesNotContain("step 50: validation", "Exception");
    assertThat(RunDirectory.latest(run).orElseThrow().step()).isEqualTo(50);
    assertThat(run.resolve("best.safetensors")).doesNotExist();

    Process killed =
        launch(Main.class, VECTORS, "train", "--resume", "--out", run.toString(), "--workers", "2");
    awaitStep(run, 150);
    killed.destroyForcibly().waitFor();
    assertThat(err()).contains("step 50: validation", "step 100: validation");
    long second = RunDirectory.latest(run).orElseThrow().step();

    Cli cli = Cli.learning();
    String end = Long.toString(second + 7);
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--iterations", end).status())
        .as(cli.err)
        .isZero();
    Path whole = folder.resolve("whole");
    assertThat(cli.run(learning(whole, end)).status()).as(cli.err).isZero();
    assertThat(RunDirectory.latest(run).orElseThrow().file())
        .hasSameBinaryContentAs(RunDirectory.latest(whole).orElseThrow().file());
    assertThat(run.resolve("best.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("best.safetensors"));
    assertThat(validations(run)).isEqualTo(validations(whole)).hasSizeGreaterThanOrEqualTo(2);
  }

  private static List<MetricsLog.Line> validations(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .filter(line -> line.values().containsKey("clean"))
        .toList();
  }

  private void awaitStep(Path run, long step) throws Exception {
    for (int i = 0; i < 30_000; i++) { // five minutes, for machines that do other work too
      if (Files.isDirectory(run)
          && RunDirectory.latest(run).filter(c -> c.step() >= step).isPresent()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("no checkpoint of step " + step + ": " + err());
  }

  private static String[] learning(Path run, String iterations) {
    return new String[] {
      "train",
      "--method",
      "rmaml-out",
      "--filters",
      "2",
      "--ways",
      "2",
      "--queries",
      "2",
      "--inner-steps",
      "1",
      "--meta-batch",
      "2",
      "--workers",
      "1",
      "--validate-every",
      "50",
      "--validate-episodes",
      "150",
      "--validate-steps",
      "1",
      "--checkpoint-every",
      "50",
      "--iterations",
      iterations,
      "--out",
      run.toString()
    };
  }

  /** What has nothing to save has no safe point either. */
  @Test
  void ctrlCEndsACommandWithoutSafePointsAtOnce() throws Exception {
    for (String name : List.of("INT", "TERM")) {
      Process process = start(List.of("-Dstep.millis=60000"), "plan", "--json");
      for (int i = 0; i < 800 && !err().contains("planning"); i++) {
        Thread.sleep(25);
      }
      signal(process, name);
      assertThat(finish(process)).as(err()).isEqualTo(130);
      assertThat(err()).contains("vauban: interrupted").doesNotContain("safe point", "Exception");
      assertThat(Files.readString(out())).contains("\"exit\" : 130");
    }
  }

  @Test
  void aSecondCtrlCStopsAtOnce() throws Exception {
    Path run = folder.resolve("run");
    Process process = start(List.of("-Dstep.millis=60000"), "train", "--out", run.toString());
    Path log = run.resolve("config.yaml");
    for (int i = 0; i < 400 && !Files.exists(log); i++) {
      Thread.sleep(25);
    }
    signal(process, "INT");
    for (int i = 0; i < 400 && !err().contains("stopping"); i++) {
      Thread.sleep(25);
    }
    assertThat(process.isAlive()).isTrue();
    signal(process, "INT");
    assertThat(finish(process)).isEqualTo(130);
  }

  /**
   * The system's limit on the size of a file stands for a disk that fills up: writing fails in the
   * same calls, and no mount is needed. First a checkpoint does not fit any more, then the metrics.
   */
  @Test
  void aDiskThatFillsUpEndsTheTrainingAndKeepsTheCheckpoint() throws Exception {
    Path run = folder.resolve("run");
    Cli cli = Cli.learning();
    assertThat(cli.run(filling(run)).status()).as(cli.err).isZero();
    Checkpoint kept = RunDirectory.latest(run).orElseThrow();
    byte[] state = Files.readAllBytes(kept.file());

    assertThat(finish(limited(state.length / 1024 - 1, run, "40"))).as(err()).isEqualTo(1);
    assertDiskFull("checkpoint-00000020.safetensors");
    assertThat(RunDirectory.latest(run)).contains(kept);
    assertThat(kept.file()).hasBinaryContent(state);

    int room = state.length / 1024 + 4;
    assertThat(finish(limited(room, run, "100000"))).as(err()).isEqualTo(1);
    assertDiskFull("metrics.jsonl|events.out.*");
    Checkpoint last = RunDirectory.latest(run).orElseThrow();
    assertThat(last.step()).isGreaterThan(kept.step()).isLessThan(100_000);

    // With room again it goes on, and nothing is wrong with what was kept.
    String end = Long.toString(last.step() + 1);
    assertThat(cli.run("train", "--resume", "--out", run.toString(), "--iterations", end).status())
        .as(cli.err)
        .isZero();
    try (Stream<Path> files = Files.list(run)) {
      assertThat(files).noneMatch(file -> file.getFileName().toString().startsWith(".check"));
    }
  }

  private void assertDiskFull(String file) throws Exception {
    assertThat(err().lines().filter(line -> line.startsWith("vauban: ")))
        .singleElement()
        .asString()
        .matches(
            "vauban: no space left on the disk while writing .*/("
                + file
                + "); what was there before is kept");
    assertThat(err()).doesNotContain("Exception", "\tat ");
  }

  private static String[] filling(Path run) {
    List<String> arguments = new ArrayList<>(List.of(learning(run, "10")));
    arguments.set(arguments.indexOf("--validate-every") + 1, "0");
    arguments.set(arguments.indexOf("--checkpoint-every") + 1, "10");
    arguments.set(arguments.indexOf("--filters") + 1, "4");
    arguments.addAll(List.of("--log-every", "1"));
    return arguments.toArray(String[]::new);
  }

  /** Resumes a run in a process whose files may have this size. */
  private Process limited(long kibibytes, Path run, String iterations) throws Exception {
    List<String> flags = new ArrayList<>(VECTORS);
    // Nothing but the run may meet the limit, such as the JVM's own counters; oneDNN is unpacked,
    // since this process has trained too.
    flags.addAll(List.of("-XX:-UsePerfData", "-XX:TieredStopAtLevel=4"));
    String[] shell = {"sh", "-c", "ulimit -f " + 2 * kibibytes + " && exec \"$@\"", "sh"};
    return launch(
        List.of(shell),
        Main.class,
        flags,
        "train",
        "--resume",
        "--out",
        run.toString(),
        "--iterations",
        iterations);
  }

  @Test
  void twoProcessesCannotWriteOneRun() throws Exception {
    Path run = folder.resolve("run");
    Process first =
        start(
            List.of("-Dstep.millis=20"), "train", "--out", run.toString(), "--iterations", "5000");
    awaitMetrics(run);
    Cli second = new Cli();
    assertThat(second.run("train", "--resume", "--out", run.toString()).status()).isEqualTo(2);
    assertThat(second.err)
        .contains("is being written by another process (process " + first.pid() + ")");
    first.destroyForcibly().waitFor();
    // Killed: the system has let the lock go, so the run resumes.
    assertThat(
            second.run("train", "--resume", "--out", run.toString(), "--iterations", "10").status())
        .as(second.err)
        .isZero();
  }

  @Test
  void doctorNamesTheMissingFlagAndExits3() throws Exception {
    assertThat(finish(launch(ForkedMain.class, List.of(), "doctor", "--json"))).isEqualTo(3);
    assertThat(Files.readString(out()))
        .contains("\"state\" : \"missing\"")
        .contains("--add-modules jdk.incubator.vector");
  }

  /** What doctor says of a badly chosen library is what a command that computes comes to. */
  @Test
  void aBadlyChosenLibraryIsAnEnvironmentErrorForDoctorToo() throws Exception {
    List<String> options = new ArrayList<>(VECTORS);
    options.add("-Dvauban.onednn=" + folder.resolve("libdnnl.so"));
    assertThat(finish(launch(Main.class, options, "doctor", "--json"))).isEqualTo(3);
    assertThat(Files.readString(out()))
        .contains("\"state\" : \"missing\"", "there is no such file", "set vauban.onednn")
        .doesNotContain("Vector API kernels");
    assertThat(finish(launch(Main.class, options, "plan", "--data", "glyphs"))).isEqualTo(3);
    assertThat(err()).contains("there is no such file", "set vauban.onednn");
  }

  /** Help must not load what it does not need; measured in classes, which do not depend on load. */
  @Test
  void helpLoadsNeitherJacksonNorLogging() throws Exception {
    String log = "-Xlog:class+load:file=" + folder.resolve("classes");
    assertThat(finish(launch(Main.class, List.of(log), "--help"))).isZero();
    String classes = Files.readString(folder.resolve("classes"));
    assertThat(classes).contains("picocli.CommandLine");
    assertThat(classes)
        .doesNotContain("tools.jackson.databind", "ch.qos.logback", "org.slf4j", "tongfei");
  }

  private void awaitMetrics(Path run) throws Exception {
    Path metrics = run.resolve("metrics.jsonl");
    for (int i = 0; i < 800; i++) {
      if (Files.exists(metrics) && Files.size(metrics) > 200) {
        return;
      }
      Thread.sleep(25);
    }
    throw new AssertionError("no training began: " + err());
  }

  private static void signal(Process process, String name) throws Exception {
    assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "no signals on Windows");
    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
  }

  private int finish(Process process) throws Exception {
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the process did not end: " + err());
    }
    return process.exitValue();
  }

  private Process start(List<String> flags, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(flags);
    return launch(ForkedMain.class, command, arguments);
  }

  private Process launch(Class<?> main, List<String> flags, String... arguments) throws Exception {
    return launch(interruptible(), main, flags, arguments);
  }

  private Process launch(
      List<String> before, Class<?> main, List<String> flags, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(before);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("VAUBAN_"));
    return builder
        .redirectOutput(out().toFile())
        .redirectError(new File(folder.toFile(), "err"))
        .start();
  }

  /**
   * A shell's background jobs are started with SIGINT ignored, and so is all that they start, this
   * test too. Where env can, it gives the signal its default action back, as on a terminal.
   */
  private static List<String> interruptible() throws Exception {
    List<String> reset = List.of("env", "--default-signal=INT");
    List<String> probe = new ArrayList<>(reset);
    probe.add("true");
    try {
      boolean known = new ProcessBuilder(probe).start().waitFor() == 0;
      return known ? reset : List.of();
    } catch (java.io.IOException noSuchProgram) {
      return List.of();
    }
  }

  private Path out() {
    return folder.resolve("out");
  }

  private String err() throws Exception {
    Path file = folder.resolve("err");
    return Files.exists(file) ? Files.readString(file, StandardCharsets.UTF_8) : "";
  }
}
