package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Json;
import dev.vauban.natives.cuda.FakeCuda;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on a card, the one that is the processor: the figures are the processor's own. */
class CardTest {
  @TempDir Path folder;

  /** What a command said. */
  private record Answer(int exit, String out, String err) {
    Map<?, ?> row() {
      return (Map<?, ?>) ((List<?>) Json.read(out, Map.class).get("rows")).getFirst();
    }
  }

  private List<Answer> run(Path cuda, List<String> commands) throws Exception {
    Path asked = Files.write(folder.resolve("commands"), commands);
    Path answers = folder.resolve("answers");
    Path log = folder.resolve("log");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx1g",
            "-Dvauban.cuda=" + cuda,
            "-cp",
            System.getProperty("java.class.path"),
            CardSession.class.getName(),
            asked.toString(),
            answers.toString());
    // Beside the library, so that a later run need not compile the kernels again.
    builder.environment().put("XDG_CACHE_HOME", FakeCuda.folder().resolve("cache").toString());
    int exit = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start().waitFor();
    assertThat(exit).as(Files.readString(log)).isZero();
    List<Answer> all = new ArrayList<>();
    for (String line : Files.readAllLines(answers)) {
      Map<?, ?> a = Json.read(line, Map.class);
      all.add(new Answer((int) a.get("exit"), (String) a.get("out"), (String) a.get("err")));
    }
    return all;
  }

  private static String command(String text, Object... parts) {
    return text.formatted(parts).replace(' ', '\t');
  }

  private static final String TASKS =
      " --filters 4 --ways 3 --queries 2 --inner-steps 1 --meta-batch 2";

  private List<String> session(String device, Path run) {
    return List.of(
        command(
            "train --method rmaml-out%s --device %s --iterations 2 --log-every 1 --out %s",
            TASKS, device, run),
        command("train --resume --iterations 3 --out %s", run),
        command(
            "eval %s --device %s --episodes 2 --fine-tune-steps 1 --attack apgd --attack-steps 2"
                + " --eps 2/255 --json",
            run, device),
        command(
            "attack %s --device %s --episodes 2 --fine-tune-steps 1 --attack apgd --attack-steps 2"
                + " --eps 2/255 --images 1 --out %s-images",
            run, device, run));
  }

  private static List<Double> losses(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .filter(line -> line.values().containsKey("loss"))
        .map(line -> line.values().get("loss"))
        .toList();
  }

  @Test
  void aCardGivesTheProcessorsFigures() throws Exception {
    Path card = folder.resolve("card");
    Path processor = folder.resolve("processor");
    List<String> commands = new ArrayList<>(session("cuda:0", card));
    commands.addAll(session("cpu", processor));
    commands.add(command("plan%s --device cuda", TASKS));
    commands.add(command("eval %s --device cuda:7", card));
    List<Answer> answers = run(FakeCuda.folder(), commands);
    for (Answer a : answers.subList(0, answers.size() - 1)) {
      assertThat(a.exit()).as(a.err()).isZero();
    }
    assertThat(RunDirectory.provenance(card).device()).contains("Fake card 0");
    assertThat(losses(card)).hasSize(3);
    for (int i = 0; i < 3; i++) {
      assertThat(losses(card).get(i)).isCloseTo(losses(processor).get(i), within(1e-4));
    }
    for (String name : List.of("clean", "robust")) { // of 12 answers one may flip
      double expected = (double) answers.get(6).row().get(name);
      assertThat((double) answers.get(2).row().get(name)).isCloseTo(expected, within(0.09));
    }
    assertThat(folder.resolve("card-images").resolve("01-adversarial.png")).exists();
    assertThat(answers.get(8).out()).contains("convolve f32[6,28,28,1]", "kernels");
    Answer missing = answers.getLast();
    assertThat(missing.exit()).isEqualTo(2);
    assertThat(missing.err())
        .contains(
            "vauban: --device cuda:7: there is no card cuda:7; there is cuda:0 (Fake card 0)");
  }

  @Test
  void aMachineWithoutACardIsToldSo() throws Exception {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Path out = folder.resolve("run");
    List<Answer> answers =
        run(empty, List.of(command("train%s --device cuda:0 --out %s", TASKS, out)));
    Assumptions.assumeFalse(answers.getFirst().exit() == 0, "this machine has a card");
    assertThat(answers.getFirst().exit()).isEqualTo(3);
    assertThat(answers.getFirst().err())
        .contains("vauban: the CUDA driver cannot be used: ")
        .doesNotContain("Exception");
    assertThat(out).doesNotExist();
  }
}
