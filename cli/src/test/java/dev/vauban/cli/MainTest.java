package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.nn.data.DataSets;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
  @TempDir Path folder;
  private final Cli cli = new Cli();

  @Test
  void helpAndVersionAreResults() {
    assertThat(cli.run("--help")).isEqualTo(ExitCode.OK);
    assertThat(cli.out)
        .contains("quickstart", "train", "eval", "attack", "data", "plan", "doctor", "report");
    assertThat(cli.err).isEmpty();
    assertThat(cli.run("train", "-h")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("--inner-steps", "maml, fomaml, anil, boil");
    assertThat(cli.run("data", "info", "--help")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("vauban data info");
    assertThat(cli.run("--version")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).matches("vauban \\S+\\R");
  }

  @Test
  void withoutACommandTheUsageIsAnError() {
    assertThat(cli.run()).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.out).isEmpty();
    assertThat(cli.err).contains("Usage: vauban");
    assertThat(cli.run("data")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("Usage: vauban data");
    for (String[] typed : new String[][] {{"--json"}, {"data", "--json"}}) {
      assertThat(cli.run(typed)).isEqualTo(ExitCode.BAD_INPUT);
      assertThat(cli.err).contains("Usage: vauban");
      assertThat(cli.json().get("exit")).isEqualTo(2);
      assertThat((String) cli.json().get("error")).startsWith("a command is missing after 'vauban");
    }
    assertThat((String) cli.json().get("error")).contains("'vauban data': one of list, info");
  }

  /** Each line: what is typed | what the one sentence says. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          trian                             | unknown command 'trian'; did you mean 'train'?
          frobnicate                        | unknown command 'frobnicate' (one of: quickstart, train
          data lst                          | unknown command 'lst'; did you mean 'list'?
          train --shotz 3                   | unknown option '--shotz' of 'vauban train'; did you mean '--shots'?
          train --method mamll              | --method mamll: unknown method 'mamll'; did you mean 'maml'?
          train --train-attack pdg          | unknown training attack 'pdg'; did you mean 'pgd'?
          train --method rmaml-trades --train-attack fgsm | --train-attack fgsm: the divergence of rmaml-trades has no gradient at the image
          train --method rmaml-in --train-attack fgsm --regularizer kl | --train-attack fgsm: the divergence of rmaml-in has no gradient
          train --order third               | unknown order 'third'
          train --model conv5               | unknown model 'conv5'; did you mean 'conv4'?
          train --data omniglott:x          | --data omniglott:x: unknown data set 'omniglott'; did you mean 'omniglot'?
          train --data omniglot             | omniglot needs its folder: write omniglot:DIR
          train --data glyphs:many          | the seed of glyphs is a whole number, e.g. glyphs:7, not 'many'
          train --ways 1                    | --ways 1: ways must be at least 2 and at most 1000
          train --ways five                 | --ways five: a whole number is expected, not 'five'
          train --inner-rate 0              | --inner-rate 0.0: inner-rate must be above 0 and at most 100
          train --inner-rate NaN            | --inner-rate NaN: a finite number is expected, not 'NaN'
          train --eps 8                     | --eps 8: eps is a fraction of the pixel range in (0,1); did you mean 8/255?
          train --eps 0                     | --eps 0: eps must be above 0
          train --eps -1                    | --eps -1: eps must be above 0
          train --eps 0/255                 | --eps 0/255: eps must be above 0, e.g. 8/255
          train --eps 8/0                   | --eps 8/0: eps must be above 0, e.g. 8/255
          train --eps big                   | --eps big: eps is written as a fraction such as 8/255 or a decimal in (0,1), not 'big'
          train --eps 256/255               | --eps 256/255: the budget of an L-infinity attack must be below 1
          train --method fomaml --order second | --order second: fomaml is first-order MAML
          train --method reptile --order second | --order second: reptile is first-order; leave --order out
          train --method meta-sgd --order first | --order first: meta-sgd is second-order; leave --order out
          plan --method meta-sgd --order first  | --order first: meta-sgd is second-order; leave --order out
          train --data cifarfs:x --filters 32   | --filters 32: conv4-cifarfs has widths of its own; leave --filters out
          train --data fashion-mist:x           | unknown data set 'fashion-mist'; did you mean 'fashion'?
          train --precision fp8                 | --precision fp8: there is no precision 'fp8'; use f32, bf16
          train --device gpu                    | --device gpu: there is no device 'gpu'; use cpu (its threads are --workers), cuda or cuda:N, or reference
          eval x --device cuda:x                | --device cuda:x: there is no device 'cuda:x'; use cpu
          train --workers 1000                  | --workers 1000: workers must be at least 1 and at most 999
          train --ways                      | missing required parameter for option '--ways' (N)
          train surplus                     | unexpected argument 'surplus'
          eval                              | missing required parameter: 'MODEL'
          eval nowhere                      | no model at nowhere; give a run directory or a .safetensors file
          eval nowhere --attack pgdd        | --attack pgdd: unknown attack 'pgdd'; did you mean 'pgd'?
          report nowhere                    | no run in nowhere: there is no such folder
          train --resume --out nowhere      | no run in nowhere: there is no such folder
          train --config nowhere.yaml       | cannot read nowhere.yaml: no such file or folder: nowhere.yaml
          quickstart --report nowhere/x     | --report nowhere/x: there is no folder
          quickstart --eps 1                | --eps 1: eps is a fraction of the pixel range in (0,1); did you mean 1/255?
          """)
  void badInputIsOneSentenceAndExit2(String typed, String sentence) {
    assertThat(cli.run(typed.split(" "))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.out).isEmpty();
    assertThat(cli.err).startsWith("vauban: ").contains(sentence);
    assertThat(cli.err.lines()).hasSize(1);
    assertThat(cli.err).doesNotContain("Exception", "\tat ");
  }

  @Test
  void withJsonAFailureIsOneObjectToo() {
    assertThat(cli.run("train", "--method", "mamll", "--json")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.json().get("exit")).isEqualTo(2);
    assertThat((String) cli.json().get("error")).contains("did you mean 'maml'");
    assertThat(cli.err.lines()).hasSize(1);
  }

  @Test
  void exceptionsOfTheModulesBecomeExitCodes() {
    expect(new FormatException("a.zip: truncated"), ExitCode.BAD_INPUT, "vauban: a.zip: truncated");
    expect(
        new UncheckedIOException(new IOException("No space left on device")),
        ExitCode.FAILED,
        "no space left on the disk");
    expect(CommandException.environment("no GPU", null), ExitCode.ENVIRONMENT, "vauban: no GPU");
    expect(
        new dev.vauban.natives.NativeException("no library", "install it", null),
        ExitCode.ENVIRONMENT,
        "no library; install it");
    expect(CommandException.interrupted("stopped"), ExitCode.INTERRUPTED, "vauban: stopped");
  }

  private void expect(RuntimeException thrown, ExitCode code, String sentence) {
    cli.jobs.failure = thrown;
    assertThat(cli.run("data", "info", "glyphs")).isEqualTo(code);
    assertThat(cli.err).contains(sentence);
    assertThat(cli.err.lines()).hasSize(1);
  }

  @Test
  void aBugIsOneSentenceAndAFileWithTheStackTrace() throws Exception {
    cli.jobs.failure = new IllegalStateException("the impossible");
    assertThat(cli.run("data", "info", "glyphs")).isEqualTo(ExitCode.BUG);
    assertThat(cli.err.lines()).hasSize(1);
    assertThat(cli.err)
        .contains("this is a bug in Vauban (IllegalStateException: the impossible)")
        .contains("please report it with the stack trace in ");
    Path log = Path.of(cli.err.replaceFirst("(?s).* in ", "").strip());
    assertThat(Files.readString(log))
        .contains("arguments: data info glyphs", "IllegalStateException", "MainTest");
    Files.delete(log);
  }

  @Test
  void trainHandsOverWhatWasAskedFor() {
    Path out = folder.resolve("run");
    assertThat(
            cli.run(
                "train",
                "--method",
                "rmaml-out",
                "--data",
                "cifarfs:/data/c",
                "--ways",
                "20",
                "--shots",
                "5",
                "--train-attack",
                "pgd",
                "--eps",
                "4/255",
                "--gamma",
                "0.2",
                "--inner-steps",
                "3",
                "--iterations",
                "10",
                "--meta-batch",
                "8",
                "--seed",
                "7",
                "--out",
                out.toString()))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.learner.method()).isEqualTo(Method.RMAML_OUT);
    assertThat(cli.jobs.learner.model()).isEqualTo(Model.CONV4_CIFARFS);
    assertThat(cli.jobs.learner.innerRate()).isEqualTo(0.01);
    assertThat(cli.jobs.learner.innerSteps()).isEqualTo(3);
    assertThat(cli.jobs.learner.order()).isEqualTo(Order.SECOND);
    assertThat(cli.jobs.learner.gamma()).isEqualTo(0.2);
    assertThat(cli.jobs.learner.trainAttack()).isEqualTo(TrainAttack.PGD);
    assertThat(cli.jobs.learner.trainAttackSteps()).isEqualTo(7);
    assertThat(cli.jobs.learner.eps()).isEqualTo(4 / 255.0);
    assertThat(cli.jobs.episodes.ways()).isEqualTo(20);
    assertThat(cli.jobs.episodes.shots()).isEqualTo(5);
    assertThat(cli.jobs.episodes.data().folder()).isEqualTo(Path.of("/data/c"));
    assertThat(cli.jobs.training.metaBatch()).isEqualTo(8);
    assertThat(cli.jobs.training.seed()).isEqualTo(7);
    assertThat(cli.out).contains("method", "rmaml-out");
    assertThat(out.resolve("log.txt")).content().contains("trained");
  }

  @Test
  void otherNamesOfDataSetsAreUnderstood() {
    assertThat(cli.run("data", "info", "cifar-fs:x")).isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.episodes.data()).isEqualTo(DataSpec.parse("cifarfs:x"));
    assertThat(cli.run("data", "info", "Fashion-MNIST:x")).isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.episodes.data()).isEqualTo(DataSpec.parse("fashion:x"));
    assertThat(DataSets.names())
        .isEqualTo(Arrays.stream(DataSpec.Kind.values()).map(DataSpec.Kind::label).toList());
  }

  /** Runs of earlier versions name settings that their network or method had no use for. */
  @Test
  void oldRunsAreStillRead() throws Exception {
    String run = trained("--data", "cifarfs:x", "--method", "reptile");
    Path config = Path.of(run, "config.yaml");
    String old =
        Files.readString(config).replaceFirst("order: first", "order: second") + "filters: 64\n";
    Files.writeString(config, old);
    assertThat(cli.run("eval", run)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.learner.filters()).isNull();
    assertThat(cli.jobs.learner.order()).isEqualTo(Order.FIRST);
    assertThat(cli.run("train", "--resume", "--out", run, "--iterations", "8"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.run("train", "--resume", "--out", run, "--filters", "32"))
        .isEqualTo(ExitCode.BAD_INPUT);
  }

  @Test
  void evalTakesOverWhatTheRunWasTrainedWith() {
    String run = trained("--ways", "7", "--method", "anil", "--eps", "12/255");
    assertThat(cli.run("eval", run, "--json", "--fine-tune-steps", "1,5"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.episodes.ways()).isEqualTo(7);
    assertThat(cli.jobs.learner.method()).isEqualTo(Method.ANIL);
    assertThat(cli.jobs.threat.attack()).isEqualTo(AttackName.PGD);
    assertThat(cli.jobs.threat.eps()).containsExactly(12 / 255.0);
    assertThat(cli.jobs.protocol.steps()).containsExactly(1, 5);
    assertThat(cli.json().keySet())
        .map(Object::toString)
        .containsExactly("eps", "attack", "rows", "dimensions", "linear");
    Map<?, ?> row = (Map<?, ?>) ((List<?>) cli.json().get("rows")).get(0);
    assertThat(row.keySet())
        .map(Object::toString)
        .contains(
            "method", "steps", "episodes", "clean", "clean_ci", "robust", "robust_ci", "seconds");
    assertThat(Path.of(run, "report.html")).exists();
    assertThat(Path.of(run, "examples", "01-clean.png")).exists();
  }

  @Test
  void evalAndAttackHaveASeedAndThreadsOfTheirOwn() {
    String run =
        trained(
            "--seed 7 --workers 3 --queries 6 --validate-episodes 9 --precision bf16".split(" "));
    for (String command : List.of("eval", "attack")) {
      String out = folder.resolve("images").toString();
      assertThat(
              command.equals("eval") ? cli.run(command, run) : cli.run(command, run, "--out", out))
          .as(cli.err)
          .isEqualTo(ExitCode.OK);
      assertThat(cli.jobs.episodes.queries()).isEqualTo(6);
      assertThat(cli.jobs.protocol.seed()).isZero();
      assertThat(cli.jobs.protocol.compute().workers())
          .isEqualTo(Runtime.getRuntime().availableProcessors());
      assertThat(cli.jobs.protocol.compute().precision()).isEqualTo(Precision.F32);
    }
    assertThat(cli.run("eval", run, "--seed", "4", "--precision", "BF16")).isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.protocol.seed()).isEqualTo(4);
    assertThat(cli.jobs.protocol.compute().precision()).isEqualTo(Precision.BF16);
  }

  @Test
  void evalOfSeveralBudgetsAndRunsIsOneTable() {
    String a = trained("--method", "maml", "--out", folder.resolve("a").toString());
    String b = trained("--method", "rmaml-out", "--out", folder.resolve("b").toString());
    assertThat(cli.run("eval", a, b, "--eps", "4/255,8/255", "--ways", "3")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("4/255", "8/255", "maml", "rmaml-out", "± 95%");
    assertThat(cli.jobs.episodes.ways()).isEqualTo(3);
    assertThat(cli.run("report", a, b, "--out", folder.resolve("both.html").toString()))
        .isEqualTo(ExitCode.OK);
    assertThat(folder.resolve("both.html"))
        .content()
        .contains("Accuracy as the attack grows", "Meta-loss", "rmaml-out");
  }

  @Test
  void twoRunsOfOneMethodAreToldApart() throws Exception {
    String a = trained("--seed", "1", "--out", folder.resolve("x").resolve("a").toString());
    String b = trained("--seed", "2", "--out", folder.resolve("x").resolve("b").toString());
    String far = trained("--seed", "3", "--out", folder.resolve("y").resolve("a").toString());
    assertThat(cli.run("eval", a, b)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("maml (a)", "maml (b)");
    assertThat(cli.run("eval", a, far, "--json")).isEqualTo(ExitCode.OK);
    assertThat((List<?>) cli.json().get("rows"))
        .extracting(row -> ((Map<?, ?>) row).get("method") + " " + ((Map<?, ?>) row).get("run"))
        .containsExactly("maml " + a, "maml " + far);

    Path page = folder.resolve("page.html");
    assertThat(cli.run("report", a, b, far, a, "--out", page.toString())).isEqualTo(ExitCode.OK);
    String html = Files.readString(page);
    for (String label : List.of("maml (x/a)", "maml (x/b)", "maml (y/a)")) {
      // A row of the table and the head of its pictures, each once; a lead that names two.
      assertThat(html.split("<td class=\"words\">" + Pattern.quote(label) + "<", -1)).hasSize(2);
      assertThat(html.split("<h4>" + Pattern.quote(label) + " <", -1)).hasSize(2);
    }
    assertThat(html).contains("<h1>x/a, x/b, y/a</h1>", "Where x/a comes from");
    // Each run's losses are drawn.
    assertThat(html.split(">y/a<", -1)).hasSizeGreaterThan(1);
  }

  @Test
  void whatWasMeasuredIsShownEvenIfItCannotBeKept() throws Exception {
    String run = trained();
    Files.createDirectories(Path.of(run, "evaluations.jsonl"));
    assertThat(cli.run("eval", run, "-q")).isEqualTo(ExitCode.FAILED);
    assertThat(cli.out).contains("maml", "90.0 ± 1.0%");
    assertThat(cli.err).startsWith("vauban: cannot read " + run).hasLineCount(1);
    assertThat(cli.run("eval", run, "--json", "-q")).isEqualTo(ExitCode.FAILED);
    assertThat((List<?>) cli.json().get("rows")).hasSize(1);

    Path page = Files.createDirectories(folder.resolve("page.html").resolve("in the way"));
    cli.jobs.meanwhile = () -> Files.createDirectories(page);
    Files.delete(page);
    Files.delete(page.getParent());
    assertThat(cli.run("quickstart", "-q", "--report", page.getParent().toString()))
        .isEqualTo(ExitCode.FAILED);
    assertThat(cli.out).contains("rmaml-out");
    assertThat(cli.err).contains("cannot write " + page.getParent()).hasLineCount(1);

    Path images = folder.resolve("images");
    cli.jobs.meanwhile = () -> Files.writeString(images, "in the way");
    assertThat(cli.run("attack", run, "-q", "--out", images.toString())).isEqualTo(ExitCode.FAILED);
    assertThat(cli.out).contains("maml").doesNotContain("pairs in");
    assertThat(cli.err).contains("cannot write " + images).hasLineCount(1);
  }

  @Test
  void theModelsBeforeABadOneAreAnswered() throws Exception {
    String good = trained("--out", folder.resolve("good").toString());
    String bad = trained("--out", folder.resolve("bad").toString());
    Files.writeString(Path.of(bad, "config.yaml"), "ways: 5\n");
    assertThat(cli.run("eval", good, bad, "-q")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.out).contains("maml", "90.0 ± 1.0%");
    assertThat(cli.err).contains("it is not the file of a run").hasLineCount(1);
    assertThat(cli.run("eval", bad, good, "-q")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.out).isEmpty();
  }

  @Test
  void whereResultsCannotGoIsSaidBeforeTheWork() throws Exception {
    String run = trained();
    cli.jobs.protocol = null;
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThat(cli.run("attack", run, "--out", file.resolve("x").toString()))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("--out " + file.resolve("x") + ": ").hasLineCount(1);
    assertThat(cli.run("attack", run, "--out", file.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("cannot write to " + file + ": it is a file").hasLineCount(1);
    assertThat(cli.jobs.protocol).isNull();
    // Nothing is left of the check.
    Path images = folder.resolve("new").resolve("images");
    assertThat(cli.run("attack", run, "--out", images.toString())).isEqualTo(ExitCode.OK);
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void attackWritesImagesElsewhereThanTheRun() {
    String run = trained();
    Path out = folder.resolve("images");
    assertThat(cli.run("attack", run, "--out", out.toString(), "--images", "4", "--json"))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.json().get("images")).isEqualTo(out.toString());
    assertThat(out).isDirectoryContaining("glob:**04-perturbation.png");
    assertThat(cli.run("attack", run, "--print-config")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).containsPattern("out: attacked +# default");
  }

  @Test
  void quickstartPrintsTheTableAndWritesThePage() {
    Path page = folder.resolve("report.html");
    assertThat(cli.run("quickstart", "--short", "--report", page.toString()))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("method", "clean", "robust", "seconds", "90.0 ± 1.0%");
    assertThat(page).content().contains("Robust few-shot learning", "What the attack does");
    assertThat(cli.jobs.quickstart.iterations()).isEqualTo(120);
    assertThat(cli.run("quickstart", "--json", "--report", page.toString())).isEqualTo(ExitCode.OK);
    assertThat((List<?>) cli.json().get("rows")).hasSize(2);
    assertThat(cli.jobs.quickstart.iterations()).isEqualTo(800);
  }

  @Test
  void quietSaysNothingOnStandardError() {
    assertThat(cli.run("train", "-q", "--out", folder.resolve("q").toString(), "--iterations", "3"))
        .isEqualTo(ExitCode.OK);
    assertThat(cli.err).isEmpty();
  }

  @Test
  void listsDataAndPlansAsJson() {
    assertThat(cli.run("data", "list", "--json")).isEqualTo(ExitCode.OK);
    assertThat((List<?>) cli.json().get("data")).hasSize(6);
    assertThat(cli.run("data", "info", "glyphs")).isEqualTo(ExitCode.OK);
    assertThat(cli.out).contains("glyphs: images of 28x28, grey", "train", "1280");
    assertThat(cli.run("plan", "--json")).isEqualTo(ExitCode.OK);
    assertThat(cli.json().get("flops")).isEqualTo(1e6);
  }

  @Test
  void aModelWithoutItsSettingsIsRefused() throws Exception {
    Path file = Files.writeString(folder.resolve("m.safetensors"), "");
    assertThat(cli.run("eval", file.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("config.yaml of its run is not beside it");
    Path other = Files.writeString(folder.resolve("m.txt"), "");
    assertThat(cli.run("eval", other.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains("is no model");
  }

  private String trained(String... more) {
    Path out = folder.resolve("trained");
    String[] arguments = new String[more.length + 5];
    List<String> given = List.of(more);
    int at = given.indexOf("--out");
    arguments[0] = "train";
    System.arraycopy(more, 0, arguments, 1, more.length);
    arguments[more.length + 1] = "--iterations";
    arguments[more.length + 2] = "5";
    arguments[more.length + 3] = at < 0 ? "--out" : "--keep";
    arguments[more.length + 4] = at < 0 ? out.toString() : "1";
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.OK);
    return at < 0 ? out.toString() : given.get(at + 1);
  }
}
