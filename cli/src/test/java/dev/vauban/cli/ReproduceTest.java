package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.reproduce.Catalogue;
import dev.vauban.cli.reproduce.Table;
import dev.vauban.cli.run.MetricsLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReproduceTest {
  @TempDir Path folder;
  private final Cli cli = new Cli();

  private static String[] with(String[] arguments, String... more) {
    return java.util.stream.Stream.concat(
            java.util.Arrays.stream(arguments), java.util.Arrays.stream(more))
        .toArray(String[]::new);
  }

  private String[] command(String table, String... more) {
    String[] all = {"reproduce", table, "--iterations", "6", "--out", folder.toString()};
    return with(all, more);
  }

  static List<String> tables() {
    return Catalogue.tables().stream().map(Table::name).toList();
  }

  /** Every line of every table is a command that is accepted, and every cell is filled. */
  @ParameterizedTest
  @MethodSource("tables")
  void aWholeTable(String name) throws Exception {
    assertThat(cli.run(command(name, "--json", "--workers", "1")))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    Table table = Catalogue.named(name);
    List<?> figures = (List<?>) cli.json().get("figures");
    assertThat(figures).hasSizeGreaterThanOrEqualTo(table.lines().size() * table.measures().size());
    assertThat(cli.jobs.training.iterations()).isEqualTo(6);
    assertThat(cli.jobs.threat.attack()).isEqualTo(AttackName.PGD);
    assertThat(cli.jobs.protocol.episodes()).isEqualTo(300);
    String page = Files.readString(folder.resolve(name + ".md"));
    assertThat(page).contains("not published", "| claim |", "Meta-gradients are of first order");
    assertThat((List<?>) cli.json().get("published")).hasSize(name.startsWith("omniglot") ? 1 : 0);
    assertThat(cli.err).contains("1 of ").contains("min left");
  }

  /** Stopped in the middle of the second training, it goes on there. */
  @Test
  void goesOnWhereItWasStopped() throws Exception {
    String[] command =
        command("when-to-robustify", "--methods", "maml;rmaml-out", "--data", "glyphs");
    cli.jobs.interruptAfter = 4;
    assertThat(cli.run(command)).isEqualTo(ExitCode.INTERRUPTED);
    Path first = folder.resolve("maml");
    assertThat(RunDirectory.latest(first).orElseThrow().step()).isEqualTo(4);
    assertThat(folder.resolve("results.json")).doesNotExist();

    cli.jobs.interruptAfter = 5;
    assertThat(cli.run(command)).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(RunDirectory.latest(first).orElseThrow().step()).isEqualTo(5);
    cli.jobs.interruptAfter = 0;
    assertThat(cli.run(command)).as(cli.err).isEqualTo(ExitCode.OK);
    // Every step was taken once.
    assertThat(MetricsLog.read(RunDirectory.metricsOf(first)))
        .extracting(MetricsLog.Line::step)
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
    assertThat(cli.out).contains("rmaml-out").doesNotContain("rmaml-both  ");
    // The fake takes a second a step; sessions of 4, 1 and 1 steps are one training of 6.
    Map<?, ?> results = Json.read(Files.readString(folder.resolve("results.json")), Map.class);
    assertThat(((Map<?, ?>) ((Map<?, ?>) results.get("trained")).get("maml")).get("seconds"))
        .isEqualTo(6.0);
    assertThat(cli.out).contains("the outer level suffices: within 2 points of both: not measured");

    // Nothing is left to do.
    cli.jobs.failure = new IllegalStateException("no work is left");
    assertThat(cli.run(command)).as(cli.err).isEqualTo(ExitCode.OK);
  }

  /** A training that diverges costs its own line only, and is tried again by the same command. */
  @Test
  void goesOnAfterALineThatDiverged() throws Exception {
    String[] command = command("when-to-robustify", "--data", "glyphs", "--json");
    cli.jobs.diverging = "rmaml-in";
    assertThat(cli.run(command)).as(cli.err).isEqualTo(ExitCode.FAILED);
    String why = "training has diverged: the meta-loss is NaN at step 1";
    assertThat(cli.json().get("stopped")).isEqualTo(Map.of("rmaml-in", why));
    assertThat((List<?>) cli.json().get("figures")).hasSize(4 * 2);
    assertThat(Files.readString(folder.resolve("when-to-robustify.md")))
        .contains("rmaml-in: " + why);
    assertThat(cli.err).contains("15 of 15");

    cli.jobs.diverging = null;
    assertThat(cli.run(command)).as(cli.err).isEqualTo(ExitCode.OK);
    assertThat((List<?>) cli.json().get("figures")).hasSize(5 * 2);
    assertThat(cli.json().get("stopped")).isEqualTo(Map.of());
  }

  /** Other failures concern every line: a full disk must not begin and lose one after another. */
  @Test
  void endsWithAFailureThatIsNotOfOneLine() {
    cli.jobs.failure = CommandException.failed("no space left on the disk", null);
    assertThat(cli.run(command("when-to-robustify", "--data", "glyphs")))
        .isEqualTo(ExitCode.FAILED);
    assertThat(cli.err).contains("no space left on the disk").doesNotContain("rmaml-in");
  }

  @Test
  void aSmallerMetaRateIsForAllLines() {
    assertThat(cli.run(command("its-shots", "--methods", "maml", "--meta-rate", "0.0005")))
        .as(cli.err)
        .isEqualTo(ExitCode.OK);
    assertThat(cli.jobs.training.metaRate()).isEqualTo(0.0005);
    assertThat(cli.out).contains("with {iterations=6, meta-rate=5.0E-4}");
  }

  /** What is printed of a published figure includes where it was read. */
  @Test
  void publishedFiguresHaveASourceAndOrdersAreSaid() {
    assertThat(cli.run(command("omniglot-5w1s", "--methods", "maml"))).isEqualTo(ExitCode.OK);
    assertThat(cli.out)
        .contains("published for maml, 98.7 ± 0.4 clean: Finn et al. 2017")
        .contains("Meta-gradients are of first order, but not those of maml, meta-sgd, maml++");
  }

  @Test
  void mistakesGetOneSentence() {
    refused("unknown table 'omniglot-5w'; did you mean", "reproduce", "omniglot-5w");
    refused(
        "--methods: unknown line of its-shots 'mmal'; did you mean 'maml'?",
        command("its-shots", "--methods", "mmal"));
    assertThat(cli.run(command("its-shots", "--methods", "maml"))).isEqualTo(ExitCode.OK);
    refused(
        "holds its-shots at scale small with settings",
        command("its-shots", "--methods", "maml", "--filters", "8"));
    refused(
        "holds its-shots at scale small", command("inner-steps", "--methods", "1 shots, 1 steps"));
  }

  private void refused(String sentence, String... arguments) {
    assertThat(cli.run(arguments)).as(cli.err).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(cli.err).contains(sentence);
  }

  /** With the learning modules themselves, at a scale of seconds. */
  @Test
  void realFiguresOfATinyTable() {
    Cli learning = Cli.learning();
    String[] tiny = {"--data", "glyphs", "--filters", "4", "--episodes", "3"};
    String[] lines = {"--methods", "maml;rmaml-in", "--iterations", "2", "--json"};
    String[] command =
        with(
            new String[] {"reproduce", "when-to-robustify", "--out", folder.toString()},
            with(tiny, lines));
    assertThat(learning.run(command)).as(learning.err).isEqualTo(ExitCode.OK);
    List<?> figures = (List<?>) learning.json().get("figures");
    assertThat(figures).hasSize(2 * 8);
    Map<?, ?> one = (Map<?, ?>) figures.getFirst();
    assertThat(one.get("measure")).isEqualTo("eps 16/255, 0 steps");
    assertThat((double) one.get("clean")).isBetween(0.0, 1.0);
    assertThat((double) one.get("train_seconds")).isPositive();
    Map<?, ?> claims = (Map<?, ?>) learning.json().get("claims");
    assertThat(claims.values()).anySatisfy(v -> assertThat((String) v).contains("points"));
  }
}
