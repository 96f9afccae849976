package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code vauban mcg} and guided attacks with the learning modules behind them, on tiny networks.
 */
class McgTest {
  @TempDir Path folder;
  private final Cli cli = Cli.learning();
  private String data;

  private String[] train(Path out, String... more) throws Exception {
    if (data == null) {
      data = Bands.write(folder.resolve("bands"), 60);
    }
    List<String> all = new ArrayList<>(List.of("mcg", "train", "--out", out.toString()));
    all.addAll(List.of("--data", data, "--eps", "0.2", "--workers", "1", "--log-every", "2"));
    all.addAll(List.of("--surrogates", "cnn-4-8,mlp-16", "--surrogate-steps", "150"));
    all.addAll(List.of("--filters", "2", "--batch", "6", "--tasks", "3"));
    all.addAll(List.of("--attack-steps", "2", "--inner-steps", "2"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static String[] with(String[] arguments, String old, String other) {
    return Stream.of(arguments).map(a -> a.equals(old) ? other : a).toArray(String[]::new);
  }

  private void ok(String... arguments) {
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.OK);
  }

  private void refused(String sentence, String... arguments) {
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains(sentence);
  }

  private static List<Map<String, Double>> figures(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .map(line -> {
          Map<String, Double> values = new TreeMap<>(line.values());
          values.remove("seconds");
          return values;
        })
        .toList();
  }

  /** Stopped after each step, so within both stages and between them. */
  @Test
  void whereATrainingWasStoppedLeavesNoTraceAndTheGeneratorGuidesAttacks() throws Exception {
    Path whole = folder.resolve("whole");
    String[] stages = {"--imitation-steps", "3", "--adaptation-steps", "3"};
    ok(train(whole, stages));
    assertThat(cli.err).contains("training surrogate s0: cnn-4-8", "training surrogate s1: mlp-16");
    assertThat(cli.out).contains("cnn-4-8 100.0%", "generator: " + whole.resolve("generator"));
    assertThat(figures(whole))
        .extracting(Map::keySet)
        .extracting(Object::toString)
        .containsExactly(
            "[alike, fooled, imitation_loss]",
            "[alike, fooled, imitation_loss]",
            "[adaptation_loss, fooled]",
            "[adaptation_loss, fooled]");

    Path parts = folder.resolve("parts");
    ok(
        and(
            train(parts, "--imitation-steps", "3", "--adaptation-steps", "0"),
            "--max-minutes",
            "0.00001"));
    assertThat(cli.err).contains("time limit: stopped at step 1 of 3; continue with --resume");
    refused(
        "it is not trained to its end; continue it with 'vauban mcg train --resume",
        attack(victim(whole), parts, "mcg+square"));
    for (int step = 2; step <= 6; step++) {
      String second = step > 3 ? "3" : "0"; // the second stage is an afterthought
      ok("mcg", "train", "--resume", "--out", parts.toString(), "--adaptation-steps", second);
      assertThat(cli.err).doesNotContain("training surrogate");
    }
    assertThat(RunDirectory.configOf(parts))
        .content()
        .containsPattern("adaptation-steps: 3 +# flag on resume\n");
    assertThat(figures(parts)).isEqualTo(figures(whole));
    for (String file : List.of("checkpoint-00000006.safetensors", "generator.safetensors")) {
      assertThat(parts.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
    refused(
        "the run in " + parts + " is at step 6, beyond the 3 steps that are asked for",
        "mcg",
        "train",
        "--resume",
        "--out",
        parts.toString(),
        "--adaptation-steps",
        "0");
    refused(
        "--kappa 4.0: the run in " + parts + " was begun with kappa 5.0",
        "mcg",
        "train",
        "--resume",
        "--out",
        parts.toString(),
        "--kappa",
        "4");

    guidedAttacks(whole);

    Path images = Path.of(data.substring("mnist:".length()), "train-images-idx3-ubyte");
    byte[] changed = Files.readAllBytes(images);
    changed[20]++;
    Files.write(images, changed);
    refused(
        data + " has changed since the run in " + parts + " was begun (SHA-256 ",
        "mcg",
        "train",
        "--resume",
        "--out",
        parts.toString());
  }

  private static Path victim(Path run) {
    return run.resolve("surrogates/s0-cnn-4-8.safetensors");
  }

  private String[] attack(Path victim, Path generator, String attacks, String... more) {
    List<String> all = new ArrayList<>(List.of("query-attack", victim.toString()));
    all.addAll(List.of("--victim", "classifier", "--data", data, "--eps", "0.2", "--json"));
    all.addAll(List.of("--generator", generator.toString(), "--attack", attacks));
    all.addAll(List.of("--budget", "30", "--images", "30", "--workers", "1"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Map<?, ?> row(int number) {
    return (Map<?, ?>) ((List<?>) cli.json().get("rows")).get(number);
  }

  /** The victim is one of the surrogates, so what transfers fools it at once. */
  private void guidedAttacks(Path run) {
    String[] all = attack(victim(run), run, "square,transfer+square,mcg+square,mcg+nes");
    ok(all);
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      names.add((String) row(i).get("attack"));
      assertThat(row(i).get("attacked")).isEqualTo(row(0).get("attacked"));
      assertThat((double) row(i).get("first"))
          .isLessThanOrEqualTo((double) row(i).get("success_rate"));
    }
    assertThat(names).containsExactly("square", "transfer+square", "mcg+square", "mcg+nes");
    assertThat((double) row(0).get("first")).isLessThan(0.5);
    assertThat((double) row(1).get("first")).isGreaterThan(0.9);
    assertThat(row(2).get("first")).isEqualTo(row(3).get("first"));
    Map<?, ?> before = cli.json();
    ok(all);
    assertThat(cli.json()).isEqualTo(before);

    // The file itself; another eps and norm; a guide that learns nothing; the table.
    Path file = run.resolve("generator.safetensors");
    List<String> text =
        new ArrayList<>(
            List.of(
                with(attack(victim(run), file, "mcg+square,transfer+square"), "0.2", "500/255")));
    text.addAll(List.of("--norm", "l2", "--feedback-steps", "0", "--group", "7"));
    text.addAll(List.of("--proposals", "2"));
    text.remove("--json");
    text.addAll(List.of("--out", folder.resolve("report").toString()));
    ok(text.toArray(String[]::new));
    assertThat(cli.out).contains("first", "mcg+square", "transfer+square", "L2 at eps 500/255");
    assertThat(folder.resolve("report/report.html")).content().contains("by the first query");
  }

  private static String[] and(String[] arguments, String... more) {
    return Stream.of(arguments, more).flatMap(Stream::of).toArray(String[]::new);
  }

  @Test
  void mistakesAreSaidInASentence() throws Exception {
    Path out = folder.resolve("run");
    refused("give --data mnist:DIR or fashion:DIR", "mcg", "train");
    refused(
        "no run in " + out + ": there is no such folder; give the --out of an earlier training",
        "mcg",
        "train",
        "--resume",
        "--out",
        out.toString());
    String[] typed = train(out, "--adaptation-steps", "0", "--imitation-steps", "4");
    refused("--data glyphs: its splits share no classes", with(typed, data, "glyphs"));
    refused(
        "a surrogate has no batch norms, unlike conv4-strided-4",
        with(typed, "cnn-4-8,mlp-16", "mlp-16,conv4-strided-4"));
    refused("--surrogates mpl-16: unknown model", with(typed, "cnn-4-8,mlp-16", "mpl-16"));
    refused("leave nothing to learn", with(typed, "4", "0"));
    assertThat(out).doesNotExist();

    ok(typed);
    Path victim = victim(out);
    refused("there is no such run or file", attack(victim, folder.resolve("x"), "mcg+square"));
    Path empty = Files.createDirectory(folder.resolve("empty"));
    refused("it is no run of 'vauban mcg train'", attack(victim, empty, "mcg+square"));
    refused("holds no generator", attack(victim, victim, "mcg+square"));
    refused("no attack begins with it; write --attack mcg+nes", attack(victim, out, "nes"));
    refused("boundary works with labels", attack(victim, out, "mcg+boundary"));
    refused("unknown guide 'mgc'; did you mean 'mcg'?", attack(victim, out, "mgc+square"));
    Path adapted = folder.resolve("adapted");
    assertThat(new Cli().run("train", "--iterations", "1", "--out", adapted.toString()))
        .isEqualTo(ExitCode.OK);
    refused(
        "an adapted victim those of its episode; use --victim classifier",
        "query-attack",
        adapted.toString(),
        "--attack",
        "mcg+square",
        "--generator",
        out.toString());
    refused(
        "--attack mcg+square: a guide needs --generator",
        "query-attack",
        victim.toString(),
        "--victim",
        "classifier",
        "--attack",
        "mcg+square");

    String[] program = {
      "query-attack", "--command", "x", "--attack", "mcg+square", "--generator", out.toString()
    };
    refused(
        "it tells 10 classes apart, the victim 11",
        and(program, "--data", data, "--classes", "11"));
    refused(
        "it is for images of 20x6x1, not of 20x7x1",
        and(program, "--data", Bands.write(folder.resolve("wide"), 60, 7)));
    withoutFact("filters", out.resolve("generator.safetensors"));
    refused("is damaged", attack(victim, out, "mcg+square"));
    Path checkpoint = RunDirectory.latest(out).orElseThrow().file();
    String[] resume = {"mcg", "train", "--resume", "--out", out.toString()};
    withoutFact("stage", checkpoint);
    refused(checkpoint + " is damaged: it does not say which stage", resume);
    withoutFact("format", checkpoint);
    refused(
        checkpoint + " is no checkpoint of 'vauban mcg train'; give a run of that command", resume);
  }

  private static void withoutFact(String fact, Path file) {
    try (Scope scope = Scope.open()) {
      Safetensors.File content = Safetensors.read(file, scope);
      Map<String, String> facts = new TreeMap<>(content.metadata());
      facts.remove(fact);
      Safetensors.write(file, content.tensors(), facts);
    }
  }
}
