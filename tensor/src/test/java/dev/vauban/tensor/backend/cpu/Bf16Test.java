package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ProgramCheck;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cpu.kernels.Winograd;
import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.backend.reference.ReferenceDevice;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Programs in bf16 on the CPU, with each choice of kernels. */
class Bf16Test {
  private final String before = System.getProperty(Bf16Choice.PROPERTY);

  @AfterEach
  void restore() {
    if (before == null) {
      System.clearProperty(Bf16Choice.PROPERTY);
    } else {
      System.setProperty(Bf16Choice.PROPERTY, before);
    }
  }

  static CpuDevice open(Bf16Choice choice, int workers, CpuDevice.Kernels kernels) {
    System.setProperty(Bf16Choice.PROPERTY, choice.name().toLowerCase(Locale.ROOT));
    return CpuDevice.open(workers, kernels);
  }

  /** A product with 576 or more terms for a result, in each of the four kinds. */
  private static Program products() {
    Tree<Type> types =
        Tree.of("x", Type.f32(2, 14, 9, 64), "w", Type.f32(3, 3, 64, 64))
            .with("gy", Type.f32(2, 14, 9, 64))
            .with("a", Type.f32(70, 600))
            .with("b", Type.f32(600, 80));
    return Program.trace(
            types,
            in -> {
              Tree<Expr> point = Tree.of("x", in.get("x"), "w", in.get("w"));
              Tree<Expr> g =
                  Grad.grad(
                      p ->
                          p.get("x")
                              .convolve(p.get("w"), Window.of(1, 1), 1)
                              .mul(in.get("gy"))
                              .sum(),
                      point);
              return Tree.of("y", in.get("x").convolve(in.get("w"), Window.of(1, 1), 1))
                  .with("g", g)
                  .with("c", in.get("a").matmul(in.get("b")));
            })
        .in(Precision.BF16);
  }

  /**
   * Sums in F32 are within {@link Winograd#ERROR} of the sum of absolute terms. Sums in bf16 would
   * not be: a single rounding of a result to bf16 is off by up to 2^-9 of it.
   */
  @ParameterizedTest
  @EnumSource(Bf16Choice.class)
  void productsAreSummedUpInF32(Bf16Choice choice) {
    for (CpuDevice.Kernels kernels : CpuDevice.Kernels.values()) {
      try (CpuDevice device = open(choice, 1, kernels);
          Scope scope = Scope.open();
          Plan plan = device.compile(products())) {
        Tree<Tensor> in = ProgramCheck.inputs(scope, products().inputs(), 4);
        List<double[]> arrays = in.leaves().stream().map(Tensor::toDoubles).toList();
        List<double[]> sizes =
            Reference.evaluate(
                products().graph(),
                arrays.stream().map(a -> Arrays.stream(a).map(Math::abs).toArray()).toList());
        List<double[]> expected = Reference.evaluate(products().graph(), arrays);
        List<double[]> actual =
            plan.run(scope, in).leaves().stream().map(Tensor::toDoubles).toList();
        for (int r = 0; r < expected.size(); r++) {
          double size = Arrays.stream(sizes.get(r)).max().orElseThrow();
          double error = 0;
          for (int i = 0; i < expected.get(r).length; i++) {
            error = Math.max(error, Math.abs(actual.get(r)[i] - expected.get(r)[i]));
          }
          assertThat(error / size).as("result %d", r).isLessThan(Winograd.ERROR);
        }
      }
    }
  }

  /** What a cast to bf16 gives is rounded, whether it is stored or read on in the same nest. */
  @Test
  void castsRound() {
    float[] x = {
      1, 1.00390625f, 1.01171875f, 1.005f, -1.00390625f, 3.4e38f, 1e-40f, Float.NaN, -0f, 0.1f, 7f
    };
    Program p =
        Program.trace(
            Tree.leaf(Type.f32(x.length)),
            in -> {
              Expr low = in.value().mul(1).cast(DType.BF16);
              return Tree.of("read on", low.cast(DType.F32).add(0.25), "stored", low);
            });
    double[] expected = {
      1, 1, 1.015625, 1.0078125, -1, 1.0 / 0, 0x1p-133, Double.NaN, -0.0, 0.10009765625, 7
    };
    for (Device device : List.of(CpuDevice.open(1), new ReferenceDevice())) {
      try (device;
          Scope scope = Scope.open();
          Plan plan = device.compile(p)) {
        Tree<Tensor> out = plan.run(scope, Tree.leaf(scope.tensor(Type.f32(x.length)).set(x)));
        for (int i = 0; i < x.length; i++) {
          Double stored = out.get("stored").get(i);
          assertThat(stored)
              .as("%s of %s", device.name(), x[i])
              .isEqualTo(Double.valueOf(expected[i]));
          Float sum = (float) out.get("read on").get(i);
          assertThat(sum).isEqualTo(Float.valueOf(stored.floatValue() + 0.25f));
        }
      }
    }
  }

  static Program tasks() {
    return tasks(1).in(Precision.BF16);
  }

  /** In F32. */
  private static Program tasks(int stride) {
    Tree<Type> types =
        Tree.of("x", Type.f32(3, 2, 14, 14, 16)).with("w", Tree.of("k", Type.f32(3, 3, 16, 32)));
    return Program.trace(
        types,
        in ->
            Vmap.vmap(
                t ->
                    Grad.grad(
                        w ->
                            t.get("x")
                                .convolve(w.get("k"), Window.of(stride, 1), 1)
                                .tanh()
                                .square()
                                .mean(),
                        in.sub("w")),
                Tree.of("x", in.get("x"))));
  }

  @ParameterizedTest
  @EnumSource(Bf16Choice.class)
  void theSameBitsOnOneAndTwoWorkers(Bf16Choice choice) {
    try (CpuDevice one = open(choice, 1, CpuDevice.Kernels.BEST);
        CpuDevice two = open(choice, 2, CpuDevice.Kernels.BEST)) {
      List<double[]> expected = CpuPlanTest.run(one, tasks(), 3, true);
      assertThat(CpuPlanTest.run(two, tasks(), 3, true).getFirst()).isEqualTo(expected.getFirst());
    }
  }

  @Test
  void theChoiceShowsInThePlan() {
    Assumptions.assumeTrue(OneDnn.status().available(), "SKIPPED: there is no oneDNN");
    assertThat(plan(Bf16Choice.WIDENED)).contains("widened winograd kernelGradient");
    assertThat(plan(Bf16Choice.MIXED)).contains("widened winograd kernelGradient");
    assertThat(plan(Bf16Choice.PRIMITIVES))
        .doesNotContain("widened")
        .contains("kernelGradient bf16[2,14,14,16] bf16[2,14,14,32] -> f32[3,3,16,32]");
  }

  /** Where the kernels are those for F32 anyway, rounding would only lose bits. */
  @Test
  void aMixtureRoundsOnlyWhatItGainsBy() {
    Assumptions.assumeTrue(OneDnn.status().available(), "SKIPPED: there is no oneDNN");
    try (CpuDevice device = open(Bf16Choice.MIXED, 1, CpuDevice.Kernels.BEST)) {
      Device low = device.in(Precision.BF16);
      assertThat(CpuPlanTest.run(low, tasks(1), 3, true).getFirst())
          .isEqualTo(CpuPlanTest.run(device, tasks(1), 3, true).getFirst());
      try (Plan tiles = low.compile(tasks(1));
          Plan strided = low.compile(tasks(2))) {
        assertThat(tiles.toString()).contains("winograd").doesNotContain("bf16", "widened");
        assertThat(strided.toString()).contains("bf16[2,14,14,16]").doesNotContain("widened");
      }
    }
    for (Bf16Choice other : List.of(Bf16Choice.PRIMITIVES, Bf16Choice.WIDENED)) {
      try (CpuDevice device = open(other, 1, CpuDevice.Kernels.BEST);
          Plan all = device.in(Precision.BF16).compile(tasks(1))) {
        assertThat(all.toString()).contains("cast").containsAnyOf("bf16[2,14,14,16]", "widened");
      }
    }
  }

  private static String plan(Bf16Choice choice) {
    try (CpuDevice device = open(choice, 1, CpuDevice.Kernels.BEST);
        Plan plan = device.compile(tasks())) {
      return plan.toString();
    }
  }

  @Test
  void theProcessorDecidesUnlessTheUserDoes() {
    assertThat(Bf16Choice.parse(null, "avx512_core_amx")).isEqualTo(Bf16Choice.PRIMITIVES);
    assertThat(Bf16Choice.parse("auto", "avx10_1_512_amx")).isEqualTo(Bf16Choice.PRIMITIVES);
    assertThat(Bf16Choice.parse(" ", "avx512_core_bf16")).isEqualTo(Bf16Choice.MIXED);
    assertThat(Bf16Choice.parse(null, "avx2")).isEqualTo(Bf16Choice.WIDENED);
    assertThat(Bf16Choice.parse(null, "")).isEqualTo(Bf16Choice.WIDENED);
    assertThat(Bf16Choice.parse("Primitives", "avx2")).isEqualTo(Bf16Choice.PRIMITIVES);
    System.setProperty(Bf16Choice.PROPERTY, "fast");
    assertThatThrownBy(() -> CpuDevice.open(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("vauban.bf16 is fast; it must be auto, primitives, mixed or widened");
  }
}
