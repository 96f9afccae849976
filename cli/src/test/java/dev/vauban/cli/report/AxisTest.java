package dev.vauban.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.report.Axis.Scale;
import dev.vauban.cli.report.Series.Stroke;
import java.util.List;
import org.junit.jupiter.api.Test;

class AxisTest {
  @Test
  void ticksAreRound() {
    assertThat(Axis.ticks(0, 1, 5)).containsExactly(0, 0.2, 0.4, 0.6000000000000001, 0.8, 1);
    assertThat(Axis.ticks(0, 1500, 8)).startsWith(0, 200, 400).endsWith(1400);
    assertThat(Axis.ticks(-1.3, 2.2, 5)).containsExactly(-1, 0, 1, 2);
    assertThat(new Axis("eps", Scale.EPS).ticksOver(0, 32, 8))
        .containsExactly(0, 4, 8, 12, 16, 20, 24, 28, 32);
  }

  @Test
  void numbersAreShort() {
    Axis axis = new Axis("", Scale.NUMBER);
    assertThat(axis.format(0)).isEqualTo("0");
    assertThat(axis.format(0.25)).isEqualTo("0.25");
    assertThat(axis.format(100)).isEqualTo("100");
    assertThat(axis.format(60000)).isEqualTo("60\u202f000");
    assertThat(axis.format(2.5e-6)).isEqualTo("2.50e-06");
    assertThat(new Axis("", Scale.PERCENT).format(0.4)).isEqualTo("40%");
  }

  @Test
  void longSeriesAreThinnedByMeans() {
    int n = 60_000;
    double[] x = new double[n];
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = i;
      y[i] = i % 2;
    }
    Series thin = new Series("loss", x, y, 0, Stroke.SOLID).thinned();
    assertThat(thin.x()).hasSize(300);
    assertThat(thin.y()).containsOnly(0.5);
    assertThat(thin.x()[0]).isEqualTo(99.5);
  }

  @Test
  void oddDataIsDrawnWithoutNaN() {
    for (double[][] data :
        new double[][][] {
          {{}, {}},
          {{5}, {3}},
          {{1, 2, 3}, {2, 2, 2}},
          {{1, 2, 3}, {1, Double.NaN, 3}},
          {{0, 1}, {Double.NaN, Double.NaN}},
          {{0, 1}, {-5, 1e9}}
        }) {
      String svg =
          new Curves(
                  "t",
                  "",
                  new Axis("x", Scale.NUMBER),
                  new Axis("y", Scale.NUMBER),
                  List.of(new Series("s", data[0], data[1], 0, Stroke.SOLID)))
              .html();
      assertThat(svg).doesNotContain("NaN", "Infinity");
    }
  }
}
