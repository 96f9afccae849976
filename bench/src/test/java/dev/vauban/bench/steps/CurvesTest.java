package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.bench.steps.Curves.Curve;
import dev.vauban.bench.steps.Curves.Point;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class CurvesTest {
  private static Point point(int n, double ms) {
    return new Point(n, ms, ms, ms, n);
  }

  @Test
  void aLineIsFoundAndWhatIsOffIt() {
    Curve exact = Curves.line("x", "t", 1, List.of(point(1, 12), point(2, 14), point(10, 30)));
    assertThat(exact.msEach()).isCloseTo(2, within(1e-9));
    assertThat(exact.msFixed()).isCloseTo(10, within(1e-9));
    assertThat(exact.worst()).isCloseTo(0, within(1e-9));
    Curve square = Curves.line("x", "t", 1, List.of(point(1, 1), point(5, 25), point(10, 100)));
    assertThat(square.worst()).isGreaterThan(0.25);
  }

  /** The plans' own counts are exactly linear: no point computes what another does not. */
  @Test
  void operationsGrowInProportion() {
    StepBench once =
        new StepBench(
            1,
            0,
            List.of(),
            Console.plain(
                new PrintStream(new ByteArrayOutputStream()),
                new PrintStream(new ByteArrayOutputStream())),
            new Interrupt());
    for (Curve c : new Curves(once).measure(List.of(2))) {
      List<Point> flops = c.points().stream().map(p -> point(p.n(), p.gflop())).toList();
      assertThat(Curves.line(c.name(), "", 1, flops).worst()).as(c.name()).isLessThan(0.02);
      assertThat(flops.getLast().ms()).isGreaterThan(flops.getFirst().ms());
    }
  }
}
