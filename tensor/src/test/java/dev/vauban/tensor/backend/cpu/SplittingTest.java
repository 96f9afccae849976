package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.Window;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Large kernels outside Maps run in parts, and kernels that stay the same are transformed once. */
class SplittingTest {
  private static final int IMAGES = 64;

  private static Tree<Type> types() {
    return Tree.<Type>empty()
        .with("w", Tree.of("a", Type.f32(3, 3, 32, 32), "b", Type.f32(3, 3, 32, 96)))
        .with("x", Type.f32(IMAGES, 16, 16, 32));
  }

  /** A convolution, batch statistics, pooling, a convolution with stride 2 and a maximum. */
  private static Expr loss(Tree<Expr> w, Expr x) {
    int[] axes = {0, 1, 2};
    Expr y = x.convolve(w.get("a"), Window.of(1, 1), 1);
    Expr centred = y.sub(y.mean(axes).keep(y.shape(), axes));
    Expr normal = centred.mul(centred.square().mean(axes).add(1e-3).rsqrt());
    Expr pooled = normal.tanh().maxPool(new PoolWindow(3, 3, Window.of(2, 1)));
    Expr z = pooled.add(normal.mul(0.1).maxPool(PoolWindow.square(2)));
    Expr far = z.convolve(w.get("b"), Window.of(2, 1), 1).tanh();
    return far.square().mean().add(far.maxOver(0, 1, 2).mean());
  }

  private static Tree<Expr> gradients(Tree<Expr> in) {
    Grad.Result r = Grad.valueAndGrad(t -> loss(t.sub("w"), t.get("x")), in);
    return Tree.of("loss", r.value()).with("gradient", r.gradient());
  }

  private static final Program PROGRAM = Program.trace(types(), SplittingTest::gradients);

  /** The same inside a Map of one element, where nothing is divided. */
  private static final Program WHOLE =
      Program.trace(
          types(),
          in ->
              Vmap.vmap(SplittingTest::gradients, in.map(e -> e.reshape(e.shape().prepend(1))))
                  .map(e -> e.reshape(e.shape().without(0))));

  @ParameterizedTest
  @EnumSource
  void partsGiveTheSameBitsOnAnyNumberOfWorkers(CpuDevice.Kernels kernels) {
    List<double[]> one = run(PROGRAM, 1, kernels);
    for (int workers : new int[] {2, 3, 5}) {
      List<double[]> many = run(PROGRAM, workers, kernels);
      for (int i = 0; i < one.size(); i++) {
        assertThat(many.get(i)).as("%d workers, result %d", workers, i).isEqualTo(one.get(i));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void partsGiveTheValuesOfTheWhole(CpuDevice.Kernels kernels) {
    List<double[]> parts = run(PROGRAM, 2, kernels);
    List<double[]> whole = run(WHOLE, 2, kernels);
    for (int i = 0; i < whole.size(); i++) {
      double size = 0;
      double error = 0;
      for (int j = 0; j < whole.get(i).length; j++) {
        size = Math.max(size, Math.abs(whole.get(i)[j]));
        error = Math.max(error, Math.abs(whole.get(i)[j] - parts.get(i)[j]));
      }
      assertThat(size).isPositive();
      assertThat(error).as("result %d", i).isLessThan(2e-5 * size);
    }
  }

  private static List<double[]> run(Program p, int workers, CpuDevice.Kernels kernels) {
    try (CpuDevice device = CpuDevice.open(workers, kernels)) {
      return CpuPlanTest.run(device, p, 3, true);
    }
  }

  @Test
  void everyLargeKernelIsDivided() {
    String plan = plan(PROGRAM);
    for (String kernel :
        List.of("convolve", "inputGradient", "kernelGradient", "nest", "maxPool", "poolScatter")) {
      assertThat(plan.lines().filter(l -> l.contains(kernel + " ") && l.endsWith(" parts")))
          .as(kernel + " in\n" + plan)
          .isNotEmpty();
    }
    assertThat(plan(WHOLE)).doesNotContain(" parts");
  }

  private static String plan(Program p) {
    try (CpuDevice device = CpuDevice.open(2);
        Plan plan = device.compile(p)) {
      return plan.toString();
    }
  }

  /** Three steps through one large kernel, for two elements: its transforms are made once. */
  @Test
  void aKernelThatStaysTheSameIsTransformedOnce() {
    Tree<Type> types = Tree.of("x", Type.f32(2, 8, 8, 8, 128), "k", Type.f32(3, 3, 128, 128));
    Program loop = Program.trace(types, in -> Tree.of("y", ascents(in)));
    String plan = plan(loop);
    List<String> transforms = plan.lines().filter(l -> l.contains("winograd kernel ")).toList();
    assertThat(transforms).as(plan).hasSize(2).noneMatch(l -> l.contains("|"));
    Program unrolled =
        Program.trace(
            types,
            in -> {
              Expr x = in.get("x").reshape(16, 8, 8, 128);
              for (int i = 0; i < 3; i++) {
                x = ascent(in.get("k"), x);
              }
              return Tree.of("y", x);
            });
    double[] expected = run(unrolled, 1, CpuDevice.Kernels.JAVA).getFirst();
    for (CpuDevice.Kernels kernels : CpuDevice.Kernels.values()) {
      double[] actual = run(loop, 2, kernels).getFirst();
      for (int i = 0; i < expected.length; i++) {
        assertThat(Math.abs(actual[i] - expected[i])).isLessThan(2e-5);
      }
    }
  }

  private static Expr ascents(Tree<Expr> in) {
    return Vmap.vmapToArray(
        t -> Vmap.repeat(3, t.get("x"), x -> ascent(in.get("k"), x)), Tree.of("x", in.get("x")));
  }

  private static Expr ascent(Expr k, Expr x) {
    Expr g = Grad.grad(a -> a.convolve(k, Window.of(1, 1), 1).mul(0.02).tanh().square().sum(), x);
    return x.add(g.tanh().mul(0.1));
  }
}
