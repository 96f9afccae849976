package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Poolings that become part of the nests around them. */
class PoolExpansionTest {
  private static final PoolWindow TWO = PoolWindow.square(2);

  /** Batch norm, ReLU, pooling; the value and two orders of gradients. */
  private static Program block(PoolWindow window, int... images) {
    int c = images[3];
    Tree<Type> types = Tree.of("x", Type.f32(images), "scale", Type.f32(c), "shift", Type.f32(c));
    return Program.trace(
        types,
        in -> {
          Grad.Result second =
              Grad.valueAndGrad(
                  w -> {
                    Grad.Result first =
                        Grad.valueAndGrad(v -> pooled(v, window).tanh().square().sum(), w);
                    return first.gradient().leaves().stream()
                        .map(g -> g.square().sum())
                        .reduce(first.value(), Expr::add);
                  },
                  in);
          return Tree.of("y", pooled(in, window))
              .with("value", second.value())
              .with("gradient", second.gradient());
        });
  }

  private static Expr pooled(Tree<Expr> w, PoolWindow window) {
    Expr x = w.get("x");
    Expr scale = x.variance(0, 1, 2).add(0.1).rsqrt().mul(w.get("scale"));
    return x.sub(x.mean(0, 1, 2)).mul(scale).add(w.get("shift")).relu().maxPool(window);
  }

  private static Map<String, double[]> inputs(Program p) {
    Map<String, double[]> in = new LinkedHashMap<>();
    p.inputs()
        .paths()
        .forEach((path, type) -> {
          double[] v = new double[(int) type.shape().size()];
          for (int i = 0; i < v.length; i++) {
            v[i] = (float) (Key.of(5).fold(path.length()).uniform(i) * 4 - 2);
          }
          in.put(path, v);
        });
    return in;
  }

  private static String plan(Program p) {
    try (CpuDevice device = CpuDevice.open(1);
        Plan plan = device.compile(p)) {
      return plan.toString();
    }
  }

  static Stream<Program> blocks() {
    return Stream.of(
        block(TWO, 3, 6, 4, 16),
        block(TWO, 3, 7, 5, 32), // windows do not cover it
        block(TWO, 2, 2, 2, 48),
        block(TWO, 2, 4, 4, 20), // not whole vectors
        block(new PoolWindow(2, 1, new Window(2, 1, 0, 0, 0, 0, 1, 1)), 2, 6, 3, 16),
        block(new PoolWindow(2, 2, Window.of(1, 0)), 2, 5, 4, 16), // overlapping
        block(new PoolWindow(2, 2, Window.of(2, 1)), 2, 5, 4, 16), // padded
        block(new PoolWindow(3, 3, Window.of(2, 1)), 2, 5, 4, 16));
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void valuesAndGradientsAreTheReferences(Program p) {
    Map<String, double[]> in = inputs(p);
    Map<String, double[]> expected = Runs.reference(p, in);
    try (CpuDevice device = CpuDevice.open(2)) {
      Runs.device(device, p, in)
          .forEach((path, a) -> Runs.assertClose(path, a, expected.get(path), 2e-5));
    }
  }

  @Test
  void smallWindowsHaveNoKernelsOfTheirOwn() {
    assertThat(plan(block(TWO, 3, 6, 4, 64)))
        .doesNotContain("maxPool", "poolArgMax", "poolGather", "poolScatter");
    String odd = plan(block(TWO, 3, 7, 5, 64));
    assertThat(odd).contains("poolScatter").doesNotContain("maxPool", "poolArgMax", "poolGather");
    assertThat(plan(block(new PoolWindow(3, 3, Window.of(2, 1)), 2, 5, 4, 64))).contains("maxPool");
  }

  /** A value that is a view of a slice is read where it lies. */
  @Test
  void nestsReadSlicesWithoutCopies() {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(6, 5, 32)),
            in -> {
              Expr x = in.get("x");
              Expr odd = x.slice(new int[] {1, 0, 0}, new int[] {6, 5, 16}, new int[] {2, 2, 1});
              Expr even = x.slice(new int[] {0, 1, 16}, new int[] {5, 5, 32}, new int[] {2, 1, 1});
              return Tree.of("y", odd.sum(1).sub(even.square().sum(1)), "odd", odd);
            });
    Map<String, double[]> in = inputs(p);
    Map<String, double[]> expected = Runs.reference(p, in);
    try (CpuDevice device = CpuDevice.open(1)) {
      Runs.device(device, p, in)
          .forEach((path, a) -> Runs.assertClose(path, a, expected.get(path), 1e-6));
    }
    assertThat(plan(p).lines().filter(l -> l.contains("slice"))).hasSize(1); // the result "odd"
  }
}
