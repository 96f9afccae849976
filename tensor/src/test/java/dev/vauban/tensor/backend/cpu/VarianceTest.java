package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.Arrays;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The variance of arrays that are large enough to be read once only. */
class VarianceTest {
  private static final int[] SHAPE = {9, 24, 20, 16};
  private static final int IMAGE = 24 * 20 * 16;

  private static Program program(boolean relu) {
    return Program.trace(
        Tree.of("x", Type.f32(SHAPE)),
        in -> {
          Expr x = relu ? in.get("x").relu() : in.get("x");
          return Tree.of("mean", x.mean(0, 1, 2), "variance", x.variance(0, 1, 2));
        });
  }

  private static void check(String what, double tolerance, IntToDoubleFunction x) {
    double[] values = new double[9 * IMAGE];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) x.applyAsDouble(i);
    }
    for (boolean relu : new boolean[] {false, true}) {
      Program p = program(relu);
      Map<String, double[]> in = Map.of("x", values);
      double[] expected = Runs.reference(p, in).get("variance");
      try (CpuDevice device = CpuDevice.open(1)) {
        double[] actual = Runs.device(device, p, in).get("variance");
        for (int c = 0; c < 16; c++) {
          assertThat(Math.abs(actual[c] - expected[c]))
              .as(what + ", channel " + c + ": " + actual[c] + " for " + expected[c])
              .isLessThanOrEqualTo(tolerance * expected[c]);
          assertThat(actual[c]).isNotNegative();
        }
      }
    }
  }

  private static double noise(int i) {
    return Key.of(11).uniform(i) * 2 - 1;
  }

  @Test
  void itIsExactWhereverTheMeanLies() {
    check("around 0", 2e-6, VarianceTest::noise);
    check("around 1000", 2e-3, i -> 1000 + noise(i)); // the numbers themselves have steps of 6e-5
    check("the first image differs", 2e-5, i -> (i < IMAGE ? 100 : 0) + 1 + noise(i));
    check("each image differs", 2e-5, i -> 10.0 * (i / IMAGE) + 1 + noise(i));
  }

  @Test
  void aConstantHasNone() {
    double[] values = new double[9 * IMAGE];
    Arrays.fill(values, (float) 0.1);
    try (CpuDevice device = CpuDevice.open(1)) {
      double[] actual = Runs.device(device, program(false), Map.of("x", values)).get("variance");
      for (double v : actual) {
        assertThat(v).isBetween(0.0, 1e-12);
      }
    }
  }

  /** The first image, then all: mean and variance in one nest. */
  @Test
  void theArrayIsReadOnce() {
    try (CpuDevice device = CpuDevice.open(1);
        Plan plan = device.compile(program(false))) {
      assertThat(plan.toString().lines().filter(l -> l.contains("[4320, 16]"))).hasSize(1);
    }
  }
}
