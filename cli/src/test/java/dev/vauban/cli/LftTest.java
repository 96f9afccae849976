package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.cli.terminal.Json;
import dev.vauban.cli.work.LearningJobs;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code vauban lft} with the learning modules behind it, on tiny networks. */
class LftTest {
  private static final List<String> TINY =
      List.of("--classes", "4", "--victim", "cnn-8-16", "--victim-steps", "120", "--eps", "0.2");

  @TempDir Path folder;
  private final Cli cli = Cli.learning();

  private String[] train(Path out, String... more) {
    List<String> all = new ArrayList<>(List.of("lft", "train", "--out", out.toString()));
    all.addAll(TINY);
    all.addAll(List.of("--victims", folder.resolve("victims").toString()));
    all.addAll(List.of("--hidden", "4", "--unroll", "3", "--segments", "2", "--tasks", "2"));
    all.addAll(List.of("--scale", "0.1", "--workers", "1", "--log-every", "2"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private byte[] last(Path run) throws Exception {
    return Files.readAllBytes(RunDirectory.latest(run).orElseThrow().file());
  }

  /** Stopped in the middle of a task by the time limit, and at another step by Ctrl-C. */
  @Test
  void whereATrainingWasStoppedLeavesNoTrace() throws Exception {
    Path whole = folder.resolve("whole");
    String sources = "glyphs,glyphs:3";
    assertThat(cli.run(train(whole, "--data", sources, "--iterations", "5")))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.err)
        .contains("training the victim of glyphs:", "training the victim of glyphs-3:");
    assertThat(cli.out).contains("glyphs, glyphs-3");

    Path parts = folder.resolve("parts");
    assertThat(
            cli.run(
                train(parts, "--data", sources, "--iterations", "5", "--max-minutes", "0.00001")))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.err)
        .contains("time limit: stopped at step 1 of 5; continue with --resume")
        .doesNotContain("training the victim");
    String[] resume = {"lft", "train", "--resume", "--out", parts.toString(), "--max-minutes", "0"};
    assertThat(interrupted(resume)).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(RunDirectory.latest(parts).orElseThrow().step()).isEqualTo(2);
    assertThat(cli.run(resume)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(last(parts)).isEqualTo(last(whole));
    assertThat(losses(parts)).isEqualTo(losses(whole)).hasSize(3);

    assertThat(cli.run("lft", "train", "--resume", "--out", parts.toString(), "--hidden", "5"))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("--hidden 5: the run in " + parts + " was begun with hidden 4");

    Path latest = RunDirectory.latest(parts).orElseThrow().file();
    try (Scope scope = Scope.open()) {
      Safetensors.write(latest, Safetensors.read(latest, scope).tensors(), Map.of("format", "x"));
    }
    for (String[] reading : List.of(resume, new String[] {"lft", "gap", parts.toString()})) {
      assertThat(cli.run(reading)).isEqualTo(ExitCode.BAD_INPUT);
      assertThat(cli.err)
          .contains(latest + " is no checkpoint of 'vauban lft train'; give a run of that command");
    }
  }

  private static List<Map<String, Double>> losses(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .map(line -> {
          Map<String, Double> values = new TreeMap<>(line.values());
          values.remove("seconds");
          return values;
        })
        .toList();
  }

  /** Ctrl-C while the first step is made. */
  private static ExitCode interrupted(String... arguments) {
    Interrupt interrupt = new Interrupt();
    ByteArrayOutputStream err =
        new ByteArrayOutputStream() {
          @Override
          public synchronized void write(byte[] bytes, int from, int count) {
            super.write(bytes, from, count);
            if (toString(StandardCharsets.UTF_8).contains("resuming")) {
              interrupt.request();
            }
          }
        };
    Console console =
        Console.plain(
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    return Main.run(console, Map.of(), LearningJobs::new, interrupt, arguments);
  }

  @Test
  void aVictimIsReadAgainOnlyWhereAllAgrees() throws Exception {
    assertThat(cli.run(train(folder.resolve("a"), "--iterations", "1"))).isEqualTo(ExitCode.OK);
    Path victim;
    try (Stream<Path> files = Files.list(folder.resolve("victims"))) {
      victim = files.findFirst().orElseThrow();
    }
    assertThat(victim.getFileName()).hasToString("glyphs-cnn-8-16-4c-120-s0.safetensors");
    byte[] before = Files.readAllBytes(victim);
    assertThat(cli.run(train(folder.resolve("b"), "--iterations", "1", "--victim-seed", "1")))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains("training the victim of glyphs");
    Path other = victim.resolveSibling("glyphs-cnn-8-16-4c-120-s1.safetensors");
    assertThat(Files.readAllBytes(other)).isNotEqualTo(before);
    // A file that bears the name but was made of another seed.
    Files.copy(other, victim, StandardCopyOption.REPLACE_EXISTING);
    assertThat(cli.run(train(folder.resolve("c"), "--iterations", "1"))).isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains(victim + " is of other images or settings; it is made anew");
    assertThat(Files.readAllBytes(victim)).isEqualTo(before);
  }

  @Test
  void aTunerIsTestedBesideRivalsAndControls() throws Exception {
    Path run = folder.resolve("run");
    assertThat(cli.run(train(run, "--iterations", "2"))).as(cli.err).isEqualTo(ExitCode.OK);
    String[] attack = {
      "lft",
      "attack",
      run.toString(),
      "--tasks",
      "6",
      "--steps",
      "4",
      "--at",
      "1,2",
      "--choice-tasks",
      "4",
      "--maml-iterations",
      "2",
      "--images",
      "1",
      "--baselines",
      "--json"
    };
    assertThat(cli.run(attack)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(cli.err).doesNotContain("training the victim");
    UniversalEvaluation e = Json.read(cli.out, TunerComparison.class).sources().getFirst();
    assertThat(e.eps()).isEqualTo(0.2);
    assertThat(e.images()).isEqualTo(4);
    assertThat(e.victimAccuracy()).isBetween(0.5, 1.0);
    assertThat(e.rows())
        .extracting(Row::tuner)
        .containsExactly(
            "learned",
            "SGD",
            "sign-SGD (PGD)",
            "momentum",
            "Adam",
            "MAML start + SGD",
            "transferred",
            "UAP, sign steps",
            "UAP, DeepFool",
            "constant +eps",
            "constant -eps",
            "random signs",
            "random signs, 4x4 blocks");
    for (Row row : e.rows()) {
      Point end = row.points().getLast();
      assertThat(end.linf()).as(row.tuner()).isLessThanOrEqualTo(0.2 + 1e-6);
      assertThat(end.meanAbsolute()).isCloseTo(end.l1() / 784, within(1e-9));
      if (row.kind() == Kind.CONTROL) {
        assertThat(end.meanAbsolute()).as(row.tuner()).isCloseTo(0.2, within(1e-6));
        assertThat(end.l2()).isCloseTo(0.2 * 28, within(1e-4));
        assertThat(end.queries()).isZero();
      }
      if (row.points().size() > 1) {
        assertThat(row.points()).extracting(Point::steps).containsExactly(1, 2, 4);
        assertThat(row.points()).extracting(Point::queries).containsExactly(4L, 8L, 16L);
      }
    }
    // A sign step of the largest rate of the grid is bounded by it: rates come from the grid.
    Row sign = e.rows().get(2);
    assertThat(sign.points())
        .allSatisfy(p -> {
          assertThat(p.rate()).isIn(0.003, 0.01, 0.03, 0.1);
          assertThat(p.linf()).isLessThanOrEqualTo(p.rate() * p.steps() + 1e-6);
        });
    Path out = run.resolve("attack");
    assertThat(Json.read(out.resolve("attack.json"), TunerComparison.class, "an attack").sources())
        .hasSize(1);
    assertThat(out.resolve("report.html"))
        .content()
        .contains("Success against steps", "Success against norm", "Perturbations of glyphs");

    // The same tuner with estimates, against zeroth-order rivals.
    String[] estimated = {
      "lft",
      "attack",
      run.toString(),
      "--tasks",
      "3",
      "--steps",
      "2",
      "--at",
      "1",
      "--choice-tasks",
      "2",
      "--maml-iterations",
      "0",
      "--images",
      "0",
      "--baselines",
      "--json",
      "--gradients",
      "estimated",
      "--directions",
      "3",
      "--out",
      folder.resolve("zo").toString()
    };
    assertThat(cli.run(estimated)).as(cli.err).isEqualTo(ExitCode.OK);
    UniversalEvaluation zo = Json.read(cli.out, TunerComparison.class).sources().getFirst();
    assertThat(zo.rows().subList(0, 4))
        .extracting(Row::tuner)
        .containsExactly("learned", "ZO-SGD", "ZO-signSGD", "ZO-Adam");
    assertThat(zo.rows().subList(0, 4))
        .allSatisfy(r -> assertThat(r.points().getLast().queries()).isEqualTo(2L * 4 * (3 + 1)));

    // As text, and the meta-gradients.
    assertThat(cli.run("lft", "attack", run.toString(), "--tasks", "2", "--steps", "1", "--quiet"))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("unseen images fooled, %", "mean |d|").doesNotContain("Adam");
    assertThat(cli.run("lft", "gap", run.toString(), "--images", "2,4", "--tasks", "4"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.out)
        .contains("gap per task")
        .containsPattern("glyphs +2 ")
        .containsPattern("glyphs +4 ");
  }

  @Test
  void mistakesAreSaidInASentence() throws Exception {
    assertThat(cli.run("lft")).isEqualTo(ExitCode.BAD_INPUT);
    Path out = folder.resolve("run");
    assertThat(
            cli.run(
                "lft",
                "train",
                "--data",
                "glyphs,glyphs:1",
                "--eps",
                "0.1,0.1,0.1",
                "--out",
                out.toString()))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err)
        .contains("--eps gives 3 bounds for 2 image sources; give one, or one for each");
    assertThat(cli.run("lft", "train", "--victim", "cnm-8", "--out", out.toString()))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("--victim cnm-8:");
    assertThat(cli.run(train(out, "--shots", "10"))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("images that the victim classifies correctly, and a task has 2");
    assertThat(out).doesNotExist();
    assertThat(cli.run("lft", "attack", out.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("no run in " + out);
    Files.createDirectories(out);
    Files.writeString(out.resolve("config.yaml"), "method: maml\n");
    assertThat(cli.run("lft", "gap", out.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains(out + " is no run of a learned tuner");
    assertThat(cli.run("lft", "gap", out.toString(), "--shots", "3"))
        .as("--images says how many each task has")
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("unknown option '--shots' of 'vauban lft gap'");
    Files.writeString(out.resolve("config.yaml"), "hidden: 4\n");
    assertThat(cli.run("lft", "gap", out.toString(), "--images", "3"))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("has no checkpoint yet");
  }
}
