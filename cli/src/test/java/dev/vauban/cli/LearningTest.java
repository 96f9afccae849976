package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.config.Method;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The commands with the learning modules behind them, on tiny networks. */
class LearningTest {
  @TempDir Path folder;
  private final Cli cli = Cli.learning();

  @Test
  void whereARunWasInterruptedAndOnHowManyWorkersLeavesNoTrace() throws Exception {
    Path whole = folder.resolve("whole");
    assertThat(train(whole, "--workers", "2", "--iterations", "7")).isEqualTo(ExitCode.OK);

    Path parts = folder.resolve("parts");
    // A limit that has passed by the first step: a clean end with a checkpoint.
    assertThat(train(parts, "--workers", "1", "--iterations", "7", "--max-minutes", "0.00001"))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains("time limit: stopped at step 1 of 7; continue with --resume");
    // The limit falls on step 3, which is to be validated: the next session does that.
    assertThat(resume(parts)).isEqualTo(ExitCode.OK);
    assertThat(resume(parts)).isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains("stopped at step 3").doesNotContain("validation");
    assertThat(resume(parts, "--iterations", "4", "--max-minutes", "0")).isEqualTo(ExitCode.OK);
    assertThat(cli.err).contains("step 3: validation").doesNotContain("step 4: validation");
    assertThat(resume(parts, "--iterations", "7", "--max-minutes", "0", "--workers", "2"))
        .isEqualTo(ExitCode.OK);

    assertThat(RunDirectory.latest(parts).orElseThrow().step()).isEqualTo(7);
    assertThat(RunDirectory.latest(parts).orElseThrow().file())
        .hasSameBinaryContentAs(RunDirectory.latest(whole).orElseThrow().file());
    assertThat(parts.resolve("best.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("best.safetensors"));
    assertThat(losses(parts)).isEqualTo(losses(whole)).hasSize(4);
    assertThat(validations(parts)).isEqualTo(validations(whole)).hasSize(2);

    refused(
        "the run in " + parts + " is at step 7, beyond the 4 steps that are asked for",
        "train",
        "--resume",
        "--out",
        parts.toString(),
        "--iterations",
        "4");
    assertThat(resume(parts)).as("what was refused is not in config.yaml").isEqualTo(ExitCode.OK);
  }

  @Test
  void aRunInBf16IsResumedInBf16() throws Exception {
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    String[] bf16 = {"--precision", "bf16", "--filters", "16", "--iterations", "4"};
    assertThat(train(whole, bf16)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(RunDirectory.provenance(whole).device()).endsWith("products in bf16");
    assertThat(RunDirectory.configOf(whole)).content().contains("precision: bf16");

    String[] short16 = {"--precision", "bf16", "--filters", "16", "--iterations", "2"};
    assertThat(train(parts, short16)).isEqualTo(ExitCode.OK);
    assertThat(resume(parts, "--precision", "f32")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("was begun with precision bf16 and resumes with it");
    assertThat(resume(parts, "--device", "reference")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("was begun with device cpu and resumes with it");
    Path config = RunDirectory.configOf(parts);
    String older = Files.readString(config).replaceAll("(?m)^(device|precision): .*\\R", "");
    Files.writeString(folder.resolve("saved"), Files.readString(config));
    Files.writeString(config, older);
    assertThat(resume(parts, "--precision", "bf16")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("was begun with precision f32 and resumes with it");
    Files.writeString(config, Files.readString(folder.resolve("saved")));
    assertThat(resume(parts, "--iterations", "4")).isEqualTo(ExitCode.OK);
    byte[] bits = Files.readAllBytes(RunDirectory.latest(whole).orElseThrow().file());
    assertThat(RunDirectory.latest(parts).orElseThrow().file()).hasBinaryContent(bits);

    Path f32 = folder.resolve("f32");
    assertThat(train(f32, "--filters", "16", "--iterations", "4")).isEqualTo(ExitCode.OK);
    assertThat(Files.readAllBytes(RunDirectory.latest(f32).orElseThrow().file()))
        .isNotEqualTo(bits);
  }

  /** The score is in the file, so that a kill cannot part it from the weights. */
  @Test
  void aSessionThatDiedBeforeItLoggedItsValidationChangesNothing() throws Exception {
    Path run = folder.resolve("run");
    assertThat(train(run, "--iterations", "6")).isEqualTo(ExitCode.OK);
    List<MetricsLog.Line> before = validations(run);
    byte[] best = Files.readAllBytes(run.resolve("best.safetensors"));
    List<String> lines = Files.readAllLines(RunDirectory.metricsOf(run));
    lines.removeIf(line -> line.contains("\"step\":6,\"clean\""));
    assertThat(lines).hasSize(4);
    Files.write(RunDirectory.metricsOf(run), lines);
    assertThat(resume(run)).isEqualTo(ExitCode.OK);
    assertThat(validations(run)).isEqualTo(before).hasSize(2);
    assertThat(run.resolve("best.safetensors")).hasBinaryContent(best);
  }

  @Test
  void aFinishedRunThatIsResumedSaysWhatItAchieved() {
    Path run = folder.resolve("run");
    assertThat(train(run, "--iterations", "4", "--json", "-q")).isEqualTo(ExitCode.OK);
    Map<?, ?> first = cli.json();
    assertThat((double) first.get("loss")).isEqualTo(losses(run).getLast()).isPositive();
    assertThat((double) first.get("clean")).isPositive();
    assertThat(resume(run, "--json", "-q")).isEqualTo(ExitCode.OK);
    assertThat(cli.json().get("loss")).isEqualTo(first.get("loss"));
    assertThat(cli.json().get("clean")).isEqualTo(first.get("clean"));
    assertThat(cli.json().get("robust")).isEqualTo(first.get("robust"));
  }

  @Test
  void aTrainedRunIsEvaluatedAndAttacked() {
    Path run = folder.resolve("run");
    assertThat(train(run, "--iterations", "4")).isEqualTo(ExitCode.OK);
    assertThat(run.resolve("best.safetensors")).exists();
    assertThat(RunDirectory.provenance(run).dataSha256()).hasSize(64);

    assertThat(
            cli.run(
                "eval",
                run.toString(),
                "--json",
                "--episodes",
                "10",
                "--eps",
                "1/255,64/255",
                "--fine-tune-steps",
                "3,0",
                "--attack-steps",
                "3"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    List<?> rows = (List<?>) cli.json().get("rows");
    assertThat(rows).hasSize(4);
    double[] clean = column(rows, "clean");
    double[] robust = column(rows, "robust");
    assertThat(column(rows, "steps")).containsExactly(0, 3, 0, 3);
    assertThat(rows)
        .allSatisfy(row -> assertThat(((Map<?, ?>) row).get("on")).isEqualTo("unseen classes"));
    // The same episodes at every budget; a larger budget is harder.
    assertThat(clean[3]).isEqualTo(clean[1]);
    assertThat(clean[1]).isBetween(0.3, 1.0);
    assertThat(robust[3]).isLessThan(robust[1] - 0.1);
    assertThat(robust[1]).isLessThanOrEqualTo(clean[1]);
    assertThat(run.resolve("report.html")).content().contains("fine-tune steps", "64/255");

    Path out = folder.resolve("attacked");
    assertThat(
            cli.run(
                "attack",
                run.resolve("best.safetensors").toString(),
                "--episodes",
                "2",
                "--images",
                "3",
                "--eps",
                "4/255",
                "--out",
                out.toString()))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(out.resolve("03-adversarial.png")).exists();
    assertThat(out.resolve("04-adversarial.png")).doesNotExist();
  }

  @Test
  void trainsAgainstPgdAndIsJudgedInTheEuclideanBall() throws Exception {
    Path run = folder.resolve("pgd");
    String[] robust = {"--method", "rmaml-out", "--iterations", "2", "--log-every", "1"};
    assertThat(train(run, with(robust, "--train-attack", "pgd", "--train-attack-steps", "3")))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    Path once = folder.resolve("fgsm-rs");
    assertThat(train(once, robust)).as(cli.err).isEqualTo(ExitCode.OK);
    // The same weights, tasks and keys: in the first step only the attack differs.
    assertThat(losses(run)).hasSize(2);
    assertThat(losses(run).getFirst()).isNotEqualTo(losses(once).getFirst()).isPositive();
    assertThat(Files.readString(run.resolve("config.yaml")))
        .containsPattern("train-attack: *pgd")
        .containsPattern("train-attack-steps: *3");

    double[] euclidean = judge(run, "pgd-l2", "1");
    double[] restarted = judge(run, "pgd-l2", "2");
    double[] everyPixel = judge(run, "pgd", "1");
    assertThat(judge(run, "apgd-l2", "1")[1]).isBetween(everyPixel[1] + 0.1, euclidean[0]);
    double[] auto = judge(run, "apgd", "1");
    assertThat(auto[0]).isEqualTo(euclidean[0]);
    assertThat(auto[1]).isLessThanOrEqualTo(everyPixel[1] + 0.05);
    cli.run(
        with(
            new String[] {"eval", run.toString(), "--json", "--episodes", "4"},
            "--attack",
            "apgd",
            "--attack-loss",
            "dlr"));
    assertThat(cli.json().get("attack")).isEqualTo("apgd dlr");
    assertThat(List.of(restarted[0], everyPixel[0])).containsOnly(euclidean[0]);
    // A change of this length in all pixels together is far less than one in each of them.
    assertThat(euclidean[1]).isBetween(everyPixel[1] + 0.1, euclidean[0]);
    // The worse of two runs; but for rounding, where accuracy and loss part.
    assertThat(restarted[1]).isLessThanOrEqualTo(euclidean[1] + 0.03);
  }

  /** Clean and robust accuracy at eps 0.1. */
  private double[] judge(Path run, String attack, String restarts) {
    String[] command = {"eval", run.toString(), "--json", "--episodes", "12", "--eps", "0.1"};
    String[] how = {"--attack", attack, "--restarts", restarts, "--attack-steps", "4"};
    assertThat(cli.run(with(command, how))).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(cli.json().get("attack")).isEqualTo(attack);
    List<?> rows = (List<?>) cli.json().get("rows");
    return new double[] {column(rows, "clean")[0], column(rows, "robust")[0]};
  }

  private static String[] with(String[] arguments, String... more) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void whatTheDataOrTheCheckpointCannotGiveIsOneSentence() throws Exception {
    Path run = folder.resolve("run");
    assertThat(train(run, "--iterations", "1", "--validate-every", "1")).isEqualTo(ExitCode.OK);
    String model = run.toString();

    refused("tells 3 classes apart, not 4", "eval", model, "--ways", "4");
    Path two = folder.resolve("two");
    assertThat(train(two, "--iterations", "1", "--ways", "2")).isEqualTo(ExitCode.OK);
    refused("needs at least 3 ways, not 2", "eval", two.toString(), "--attack-loss", "dlr");
    refused("need 21 images of a class, but class", "eval", model, "--queries", "20");
    refused("600 ways were asked for", "train", "--ways", "600", "--out", out());
    refused("tells 3 classes apart, not 500", "eval", model, "--ways", "500");
    refused("need 31 images of a class", "train", "--queries", "30", "--out", out());
    refused("cannot take the 28x28 images", "train", "--model", "conv4-mini", "--out", out());
    assertThat(Path.of(out())).doesNotExist();

    Path damaged = run.resolve("damaged.safetensors");
    byte[] bytes = Files.readAllBytes(run.resolve("best.safetensors"));
    Files.write(damaged, java.util.Arrays.copyOf(bytes, bytes.length - 10));
    refused("damaged.safetensors", "eval", damaged.toString());
    Path other = folder.resolve("other");
    assertThat(train(other, "--iterations", "1", "--filters", "5")).isEqualTo(ExitCode.OK);
    Files.copy(RunDirectory.latest(other).orElseThrow().file(), run.resolve("other.safetensors"));
    refused(
        "its network is conv4-strided-5, not conv4-strided-4",
        "eval",
        run.resolve("other.safetensors").toString());
  }

  @Test
  void damagedAndMissingDataAreNamed() throws Exception {
    refused("/no/such", "train", "--data", "omniglot:/no/such", "--out", out());
    Path zips = Files.createDirectory(folder.resolve("zips"));
    Files.writeString(zips.resolve("images_background.zip"), "no zip");
    Files.writeString(zips.resolve("images_evaluation.zip"), "no zip");
    refused("is not a complete zip", "data", "info", "omniglot:" + zips);
    Path images = folder.resolve("images");
    for (String name : List.of("a", "b", "c", "d", "e")) {
      Files.createDirectories(images.resolve(name));
      Files.writeString(images.resolve(name).resolve("1.png"), "no picture");
    }
    refused("1.png is not a PNG", "data", "info", "folder:" + images);
    refused("did you mean 'glyphs'", "data", "info", "glyph");
  }

  /** 7 class folders are divided into 5 for training, 1 for validation and 1 for the test. */
  @Test
  void whichSplitIsTooSmallIsSaid() throws Exception {
    Path images = pictures(7);
    String[] few = {
      "train",
      "--data",
      "folder:" + images,
      "--ways",
      "3",
      "--queries",
      "2",
      "--filters",
      "2",
      "--inner-steps",
      "1",
      "--meta-batch",
      "1",
      "--iterations",
      "1",
      "--out",
      out()
    };
    refused(
        "3 ways were asked for, but the validation split of folder has only 1 class; use fewer"
            + " --ways, or --validate-every 0 to train without validation",
        few);
    assertThat(Path.of(out())).doesNotExist();
    List<String> without = new ArrayList<>(List.of(few));
    without.addAll(List.of("--validate-every", "0"));
    assertThat(cli.run(without.toArray(String[]::new))).as(cli.err).isEqualTo(ExitCode.OK);
    refused("but the test split of folder has only 1 class; use fewer --ways", "eval", out());

    // One pixel of one image is another now: the run must not go on.
    Path changed = images.resolve("c0").resolve("0.png");
    paint(changed, 250);
    refused(
        "folder:" + images + " has changed since the run in " + out() + " was begun",
        "train",
        "--resume",
        "--out",
        out(),
        "--iterations",
        "2");
    paint(changed, 0);
    assertThat(resume(Path.of(out()), "--iterations", "2")).as(cli.err).isEqualTo(ExitCode.OK);
  }

  private Path pictures(int classes) throws Exception {
    Path images = folder.resolve("pictures");
    for (int c = 0; c < classes; c++) {
      Path one = Files.createDirectories(images.resolve("c" + c));
      for (int i = 0; i < 3; i++) {
        paint(one.resolve(i + ".png"), 40 * c + i);
      }
    }
    return images;
  }

  private static void paint(Path file, int colour) throws Exception {
    BufferedImage image = new BufferedImage(84, 84, BufferedImage.TYPE_INT_RGB);
    image.setRGB(5, 5, colour);
    ImageIO.write(image, "png", file.toFile());
  }

  @Test
  void aPlanIsPrintedWithItsOperations() {
    assertThat(
            cli.run(
                "plan",
                "--json",
                "--filters",
                "4",
                "--ways",
                "3",
                "--queries",
                "2",
                "--meta-batch",
                "2",
                "--inner-steps",
                "1"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(((Number) cli.json().get("flops")).doubleValue()).isGreaterThan(1e6);
    // Maps and loops are no kernels; every other line of the table is one.
    String text = (String) cli.json().get("text");
    long lines =
        text.lines().skip(2).filter(line -> !line.matches(".*  (\\| )*(map|loop)\\b.*")).count();
    assertThat(((Number) cli.json().get("kernels")).longValue()).isEqualTo(lines).isGreaterThan(20);
    assertThat(lines).isLessThan(text.lines().count() - 2);
    // The same as a list, one entry for each line.
    List<?> parts = (List<?>) cli.json().get("parts");
    assertThat(parts).hasSize((int) text.lines().count() - 2);
    double flops = 0;
    for (Object part : parts) {
      Map<?, ?> p = (Map<?, ?>) part;
      assertThat(text).contains((String) p.get("label"));
      flops +=
          ((Number) p.get("depth")).intValue() == 0 ? ((Number) p.get("flops")).doubleValue() : 0;
    }
    assertThat(flops).isEqualTo(((Number) cli.json().get("flops")).doubleValue());
    assertThat(((Number) cli.json().get("bytes")).longValue()).isPositive();
    refused("unknown option '--validate-shots' of 'vauban plan'", "plan", "--validate-shots", "3");
  }

  /** Every method's run is validated, saved, and read back for an evaluation. */
  @ParameterizedTest
  @EnumSource(Method.class)
  void everyMethodTrainsAndIsEvaluated(Method method) {
    Path run = folder.resolve("run");
    List<String> more = new ArrayList<>(List.of("--method", method.label(), "--iterations", "2"));
    if (method.label().startsWith("protonet")) {
      more.addAll(List.of("--train-ways", "6"));
    }
    assertThat(train(run, with(more.toArray(String[]::new), "--validate-every", "2")))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(validations(run)).hasSize(1);
    assertThat(
            cli.run(
                "eval",
                run.toString(),
                "--json",
                "--episodes",
                "4",
                "--fine-tune-steps",
                "1",
                "--attack-steps",
                "2"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    Map<?, ?> row = (Map<?, ?>) ((List<?>) cli.json().get("rows")).getFirst();
    assertThat(row.get("method")).isEqualTo(method.label());
    assertThat((double) row.get("robust")).isBetween(0.0, (double) row.get("clean"));
  }

  /** The four accuracies, the features' dimension and the neurons reach table, JSON and report. */
  @Test
  void theDiagnosticsOfAnEvaluation() throws Exception {
    Path run = folder.resolve("run");
    assertThat(train(run, "--method", "aq", "--iterations", "2")).isEqualTo(ExitCode.OK);
    String[] eval = {"eval", run.toString(), "--episodes", "8", "--fine-tune-steps", "1"};
    String[] all = {
      "--support", "both", "--dimension", "20", "--neurons", "2", "--eps", "0.2", "--linear", "3"
    };
    assertThat(cli.run(with(eval, with(all, "--json")))).as(cli.err).isEqualTo(ExitCode.OK);
    List<?> rows = (List<?>) cli.json().get("rows");
    assertThat(rows).hasSize(2);
    assertThat(((Map<?, ?>) rows.get(0)).get("support")).isNull();
    assertThat(((Map<?, ?>) rows.get(1)).get("support")).isEqualTo("attacked");
    assertThat(column(rows, "clean")[0]).isNotEqualTo(column(rows, "clean")[1]);
    Map<?, ?> dimension = (Map<?, ?>) ((List<?>) cli.json().get("dimensions")).getFirst();
    assertThat((int) dimension.get("images")).isEqualTo(20);
    assertThat((int) dimension.get("clean")).isBetween(1, 16);
    assertThat((int) dimension.get("attacked")).isBetween(1, 16);
    Map<?, ?> linear = (Map<?, ?>) ((List<?>) cli.json().get("linear")).getFirst();
    assertThat((int) linear.get("images")).isEqualTo(15);
    assertThat((double) linear.get("robust")).isLessThanOrEqualTo((double) linear.get("clean"));
    assertThat(ImageIO.read(run.resolve("neurons").resolve("02-change.png").toFile()).getWidth())
        .isEqualTo(28);
    assertThat(run.resolve("report.html"))
        .content()
        .contains("What single features look for", "Intrinsic dimension", "attacked");
    assertThat(cli.run(with(eval, all))).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("support", "attacked", "dimension, clean", "linear classifier");
  }

  @Test
  void aTeacherIsAnEarlierRunOfTheSameKind() {
    Path first = folder.resolve("first");
    String[] rfs = {"--method", "rfs", "--iterations", "2", "--batch", "8"};
    assertThat(train(first, rfs)).as(cli.err).isEqualTo(ExitCode.OK);
    Path second = folder.resolve("second");
    assertThat(train(second, with(rfs, "--teacher", first.toString())))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    // The same start and batches: what differs is the teacher's part of the loss.
    assertThat(losses(second).getFirst()).isNotEqualTo(losses(first).getFirst()).isPositive();
    Path other = folder.resolve("other");
    assertThat(train(other, "--method", "protonet", "--iterations", "1")).isEqualTo(ExitCode.OK);
    refused("it holds no classifier of all training classes", teach(other));
    refused("no run with a checkpoint", teach(folder.resolve("nothing")));
    refused(
        "--teacher: only rfs and rfs-at have one, not aq",
        "train",
        "--method",
        "aq",
        "--teacher",
        first.toString(),
        "--out",
        out());
    refused(
        "only protonet may train with other ways", "train", "--train-ways", "10", "--out", out());
  }

  private String[] teach(Path teacher) {
    return new String[] {
      "train",
      "--method",
      "rfs",
      "--filters",
      "4",
      "--ways",
      "3",
      "--queries",
      "2",
      "--iterations",
      "1",
      "--teacher",
      teacher.toString(),
      "--out",
      out() + "2"
    };
  }

  private void refused(String sentence, String... arguments) {
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.BAD_INPUT);
    List<String> said = cli.err.lines().filter(line -> line.startsWith("vauban: ")).toList();
    assertThat(said).hasSize(1);
    assertThat(said.get(0)).contains(sentence);
    assertThat(cli.err).doesNotContain("Exception");
    assertThat(cli.out).isEmpty();
  }

  private String out() {
    return folder.resolve("out").toString();
  }

  private ExitCode train(Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--filters",
                "4",
                "--ways",
                "3",
                "--queries",
                "2",
                "--inner-steps",
                "1",
                "--meta-batch",
                "3",
                "--log-every",
                "2",
                "--checkpoint-every",
                "3",
                "--validate-every",
                "3",
                "--validate-episodes",
                "4",
                "--validate-steps",
                "1"));
    // The later of two equal flags would be refused: replace.
    List<String> wanted = List.of(more);
    for (int i = 0; i < wanted.size(); i += 2) {
      int at = arguments.indexOf(wanted.get(i));
      if (at >= 0) {
        arguments.set(at + 1, wanted.get(i + 1));
      } else {
        arguments.addAll(wanted.subList(i, i + 2));
      }
    }
    arguments.addAll(List.of("--out", out.toString()));
    return cli.run(arguments.toArray(String[]::new));
  }

  private ExitCode resume(Path out, String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--resume", "--out", out.toString()));
    arguments.addAll(List.of(more));
    return cli.run(arguments.toArray(String[]::new));
  }

  private static List<Double> losses(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .filter(line -> line.values().containsKey("loss"))
        .map(line -> line.values().get("loss"))
        .toList();
  }

  private static List<MetricsLog.Line> validations(Path run) {
    return MetricsLog.read(RunDirectory.metricsOf(run)).stream()
        .filter(line -> line.values().containsKey("clean"))
        .toList();
  }

  private static double[] column(List<?> rows, String name) {
    return rows.stream()
        .mapToDouble(row -> ((Number) ((Map<?, ?>) row).get(name)).doubleValue())
        .toArray();
  }
}
