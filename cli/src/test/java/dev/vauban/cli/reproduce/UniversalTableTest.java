package dev.vauban.cli.reproduce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Scale;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.cli.terminal.Console;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UniversalTableTest {
  private static final Console QUIET =
      Console.plain(
          new PrintStream(OutputStream.nullOutputStream()),
          new PrintStream(OutputStream.nullOutputStream()));

  @TempDir Path folder;
  private final UniversalTable table = new UniversalTable(Scale.SMALL, UniversalTable.SOURCES);
  private final List<String> done = new ArrayList<>();
  private int failing = Integer.MAX_VALUE;

  /** Answers as if the tuners had the figures that {@link #rows} gives them. */
  private final class Fake implements UniversalReproduction.Commands {
    @Override
    public TunerResult train(List<String> arguments) {
      count("train", arguments);
      return new TunerResult(value(arguments, "--out"), List.of("x"), "unseen", 90, 0.5, 1, 1);
    }

    @Override
    public TunerComparison attack(List<String> arguments) {
      count("attack", arguments);
      UniversalEvaluation e =
          new UniversalEvaluation(
              "x",
              value(arguments, "--data"),
              0.1,
              0.9,
              50,
              4,
              "exact gradients",
              rows(arguments),
              List.of());
      return new TunerComparison(arguments.get(2), 1, List.of(e));
    }

    private void count(String what, List<String> arguments) {
      if (done.size() == failing) {
        throw CommandException.interrupted("interrupted");
      }
      done.add(what + " " + String.join(" ", arguments));
    }
  }

  private static String value(List<String> arguments, String name) {
    return arguments.get(arguments.indexOf(name) + 1);
  }

  /** 0.6 after 5 steps and 0.8 at the end; on B only 0.3, below Adam's 0.5. */
  private static List<Row> rows(List<String> arguments) {
    boolean b = value(arguments, "--data").startsWith("cifarfs");
    List<Row> rows = new ArrayList<>();
    rows.add(
        new Row(
            "learned",
            Kind.LEARNED,
            "",
            List.of(point(5, b ? 0.3 : 0.6, 0.08), point(20, b ? 0.3 : 0.8, 0.09))));
    if (arguments.contains("--baselines")) {
      rows.add(
          new Row(
              "sign-SGD (PGD)",
              Kind.DESIGNED,
              "",
              List.of(point(5, 0.2, 0.05), point(20, 0.4, 0.07))));
      rows.add(new Row("ZO-SGD", Kind.DESIGNED, "", List.of(point(20, 0.75, 0.1))));
      rows.add(new Row("Adam", Kind.DESIGNED, "", List.of(point(5, 0.5, 0.08))));
      rows.add(new Row("constant +eps", Kind.CONTROL, "", List.of(point(1, 0.1, 0.1))));
    }
    return rows;
  }

  private static Point point(int steps, double unseen, double meanAbsolute) {
    return new Point(
        steps, null, unseen, 0.02, unseen, 0.02, 784 * meanAbsolute, 1, 0.1, meanAbsolute, steps);
  }

  private UniversalReproduction.Results run(Map<String, String> own) {
    return new UniversalReproduction(table, own, folder, new Fake(), QUIET).run();
  }

  @Test
  void itGoesOnWhereItWasStopped() {
    failing = 3;
    assertThatThrownBy(() -> run(Map.of())).hasMessage("interrupted");
    failing = Integer.MAX_VALUE;
    UniversalReproduction.Results results = run(Map.of());
    assertThat(done).hasSize(5 + 4 * 3 + 1).doesNotHaveDuplicates();
    assertThat(results.trained()).hasSize(5);
    assertThat(results.tests()).hasSize(13);
    assertThat(done.get(0))
        .startsWith("train lft train --out ")
        .contains("--data mnist:data/mnist,cifarfs:data/cifar-fs")
        .contains("--eps 0.15,8/255");
    assertThat(done).filteredOn(d -> d.contains("--baselines")).hasSize(4);
    assertThat(done).filteredOn(d -> d.contains("--judged tuned-on")).hasSize(1);
    run(Map.of());
    assertThat(done).hasSize(18);
    assertThatThrownBy(() -> run(Map.of("iterations", "3")))
        .hasMessageContaining("choose another --out");
    UniversalTable others =
        new UniversalTable(
            Scale.SMALL,
            List.of(
                DataSpec.parse("glyphs"), DataSpec.parse("glyphs:1"), DataSpec.parse("glyphs:2")));
    assertThatThrownBy(
            () -> new UniversalReproduction(others, Map.of(), folder, new Fake(), QUIET).run())
        .hasMessageContaining("choose another --out");
  }

  @Test
  void whatHoldsAndWhatDoesNotIsSaid() {
    UniversalSheet sheet = new UniversalSheet(table, run(Map.of("iterations", "3")));
    assertThat(done.get(0)).contains("--iterations 3");
    Map<String, String> verdicts = sheet.verdicts();
    assertThat(verdicts)
        .containsEntry(
            "L0: at 20 steps at least 15 points above the best pattern that looks at nothing (A)",
            "holds (80.0 @ 0.090 against constant +eps 10.0 @ 0.100)")
        .containsEntry(
            "L1: at 5 steps at least 10 points above PGD's sign steps at the end (A)",
            "holds (60.0 @ 0.080 against sign-SGD (PGD) 40.0 @ 0.070)")
        .containsEntry(
            "L1: at 5 steps at least 10 points above PGD's sign steps at the end (B)",
            "does not hold (30.0 @ 0.080 against sign-SGD (PGD) 40.0 @ 0.070)")
        .containsEntry(
            "L4: with estimated gradients not below ZO-SGD at equal queries",
            "holds (80.0 @ 0.090 against ZO-SGD 75.0 @ 0.100)")
        .containsEntry(
            "L5: LFT against L2O at 20 steps (reported, nothing is claimed)",
            "A +0.0 ± 2.8 points, B +0.0 ± 2.8 points, unseen +0.0 ± 2.8 points");
    assertThat(
            verdicts.get(
                "L2: LFT on A tested on B, at 5 steps not 2 points below the best"
                    + " designed optimiser"))
        .startsWith("does not hold (30.0");
    assertThat(
            verdicts.get(
                "L3: within 20 steps no designed optimiser fools more at the same or a smaller norm"
                    + " (B)"))
        .startsWith("does not hold: Adam 50.0 @ 0.080 after 5 steps");
    assertThat(
            verdicts.get(
                "L3: within 20 steps no designed optimiser fools more at the same or a smaller norm"
                    + " (A)"))
        .isEqualTo("holds (learned 80.0 @ 0.090)");
    assertThat(sheet.markdown())
        .contains(
            "| A | LFT on A | ", "60.0 ± 2.0 @ 0.080", "- unseen: fashion:data/fashion-mnist");
    assertThat(sheet.text(200)).contains("LFT on A and B", "L5: LFT against L2O");
  }
}
