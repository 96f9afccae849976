package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.Window;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Plans whose convolutions go by Winograd's tiles, and the switch. */
class WinogradPlanTest {
  private final String before = System.getProperty(WinogradChoice.PROPERTY);

  @AfterEach
  void restore() {
    choose(before);
  }

  private static void choose(String value) {
    if (value == null) {
      System.clearProperty(WinogradChoice.PROPERTY);
    } else {
      System.setProperty(WinogradChoice.PROPERTY, value);
    }
  }

  /** Result and second-order gradient of a smooth function of a convolution, for three tasks. */
  private static Program tasks() {
    Tree<Type> types =
        Tree.of("x", Type.f32(3, 2, 9, 14, 16)).with("w", Tree.of("k", Type.f32(3, 3, 16, 24)));
    return Program.trace(
        types,
        in ->
            Vmap.vmap(
                t -> {
                  Tree<Expr> w = in.sub("w");
                  Grad.Result first =
                      Grad.valueAndGrad(
                          v ->
                              Grad.grad(
                                      u ->
                                          t.get("x")
                                              .convolve(u.get("k"), Window.of(1, 1), 1)
                                              .tanh()
                                              .square()
                                              .mean(),
                                      v)
                                  .get("k")
                                  .square()
                                  .sum(),
                          w);
                  return Tree.of("value", first.value()).with("gradient", first.gradient());
                },
                Tree.of("x", in.get("x"))));
  }

  private static List<double[]> run(int workers, CpuDevice.Kernels kernels) {
    try (CpuDevice device = CpuDevice.open(workers, kernels)) {
      return CpuPlanTest.run(device, tasks(), 3, true);
    }
  }

  @Test
  void theSwitchDecides() {
    for (CpuDevice.Kernels kernels : CpuDevice.Kernels.values()) {
      choose("on");
      assertThat(plan(kernels)).contains("winograd convolve").contains("winograd kernelGradient");
      choose("off");
      assertThat(plan(kernels)).doesNotContain("winograd");
    }
    choose("sometimes");
    assertThatThrownBy(() -> CpuDevice.open(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("vauban.winograd is sometimes; it must be on or off");
  }

  private static String plan(CpuDevice.Kernels kernels) {
    try (CpuDevice device = CpuDevice.open(1, kernels);
        Plan plan = device.compile(tasks())) {
      return plan.toString();
    }
  }

  @Test
  void theValuesOfTheDefinition() {
    choose("off");
    List<double[]> expected = run(1, CpuDevice.Kernels.JAVA);
    choose("on");
    List<double[]> actual = run(1, CpuDevice.Kernels.BEST);
    List<String> apart = new ArrayList<>();
    for (int i = 0; i < expected.size(); i++) {
      double size = 0;
      double error = 0;
      for (int j = 0; j < expected.get(i).length; j++) {
        size = Math.max(size, Math.abs(expected.get(i)[j]));
        error = Math.max(error, Math.abs(expected.get(i)[j] - actual.get(i)[j]));
      }
      assertThat(size).isPositive();
      if (!(error <= 1e-5 * size)) {
        apart.add("result " + i + ": " + error + " of " + size);
      }
    }
    assertThat(apart).isEmpty();
  }

  @Test
  void theSameBitsOnOneAndTwoWorkers() {
    choose("on");
    List<double[]> one = run(1, CpuDevice.Kernels.BEST);
    List<double[]> two = run(2, CpuDevice.Kernels.BEST);
    for (int i = 0; i < one.size(); i++) {
      assertThat(two.get(i)).isEqualTo(one.get(i));
    }
  }
}
