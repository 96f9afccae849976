package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.tensor.BackendCheck;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.GradientCheck;
import dev.vauban.tensor.MetaStep;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ProgramCheck;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cuda.Choices.Convolution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Convolutions and both gradients, looked up in the images and by stored patches. */
class CudaConvolutionsTest {
  /** Convolutions whose channels are read one by one or in fours, whose pixels are all or some. */
  private record Row(String name, Type x, Type w, Window window, int groups) {
    /** Of each task's images with each task's kernel, and a gradient step of the kernel. */
    Program program(UnaryOperator<Expr> cast) {
      return Program.trace(
          Tree.of("x", x, "w", w),
          in ->
              Tree.of(
                  "loss",
                  Vmap.vmapToArray(
                      t -> {
                        Expr own = in.get("w").mul(t.get("scale"));
                        Expr g = Grad.grad(k -> loss(t.get("x"), k, cast), own);
                        Expr at = own.sub(g.mul(0.05));
                        return loss(t.get("x"), at, cast)
                            .add(Grad.grad(i -> loss(i, at, cast), t.get("x")).square().sum());
                      },
                      Tree.of(
                          "x",
                          in.get("x"),
                          "scale",
                          Expr.iota(Type.f32(x.shape().dim(0)), 0).mul(0.3).add(1)))));
    }

    private Expr loss(Expr images, Expr kernel, UnaryOperator<Expr> cast) {
      return cast.apply(images)
          .convolve(cast.apply(kernel), window, groups)
          .tanh()
          .square()
          .mean()
          .cast(DType.F32);
    }
  }

  private static List<Row> rows() {
    Window dense = Window.of(1, 1);
    return List.of(
        new Row("three channels", Type.f32(3, 2, 6, 6, 3), Type.f32(3, 3, 3, 4), dense, 1),
        new Row("in fours", Type.f32(2, 2, 5, 6, 8), Type.f32(3, 3, 8, 12), dense, 1),
        new Row(
            "every other pixel", Type.f32(2, 3, 7, 6, 4), Type.f32(3, 3, 4, 4), Window.of(2, 1), 1),
        new Row("one task", Type.f32(1, 2, 6, 6, 4), Type.f32(3, 3, 4, 8), dense, 1),
        new Row(
            "a window of one element",
            Type.f32(2, 2, 4, 4, 8),
            Type.f32(1, 1, 8, 4),
            Window.of(1, 0),
            1),
        new Row(
            "one element, every other pixel",
            Type.f32(2, 2, 4, 4, 8),
            Type.f32(1, 1, 8, 4),
            Window.of(2, 0),
            1),
        new Row("groups", Type.f32(2, 2, 5, 5, 4), Type.f32(3, 3, 2, 6), dense, 2));
  }

  /** Those of this class. */
  static Stream<Program> programs() {
    return Stream.of(DType.F32, DType.BF16)
        .flatMap(type -> rows().stream().map(r -> r.program(to(type))));
  }

  /** Every way that there is to compute one. */
  private static List<CudaDevice> devices(Path folder) {
    List<CudaDevice> all = new ArrayList<>();
    all.add(FakeCard.open());
    all.add(FakeCard.openWithPatches(Choices.Precision.F32));
    all.add(FakeCard.openWithLibrary(Convolution.PATCHES, folder));
    all.add(FakeCard.openWithLibrary(Convolution.MEASURED, folder));
    return all;
  }

  private static UnaryOperator<Expr> to(DType type) {
    return type == DType.F32 ? e -> e : e -> e.cast(type);
  }

  @Test
  void tasksHaveTheReferencesResultsEachWay(@TempDir Path folder) {
    for (DType type : List.of(DType.F32, DType.F64, DType.BF16)) {
      List<Program> programs = rows().stream().map(r -> r.program(to(type))).toList();
      for (CudaDevice device : devices(folder)) {
        try (device) {
          FakeCard.prepare(device, programs.stream());
          for (int i = 0; i < programs.size(); i++) {
            check(
                rows().get(i).name() + " of " + type,
                programs.get(i),
                device,
                type == DType.BF16 ? 2e-3 : 1e-4);
          }
        }
      }
    }
  }

  private static void check(String name, Program p, CudaDevice device, double tolerance) {
    try {
      ProgramCheck.check(p, 4, device, tolerance);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError(name + " on " + device.description() + ": " + e.getMessage(), e);
    }
  }

  /** Tasks with their own kernels on the same images, by views that begin again for each task. */
  @Test
  void imagesThatTasksShareAreStoredOnce(@TempDir Path folder) {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(2, 5, 5, 4), "w", Type.f32(3, 3, 3, 4, 8)),
            in ->
                Tree.of(
                    "y",
                    Vmap.vmapToArray(
                        t -> {
                          Expr w = t.value();
                          Expr g =
                              Grad.grad(
                                  k ->
                                      in.get("x")
                                          .convolve(k, Window.of(1, 1), 1)
                                          .tanh()
                                          .square()
                                          .mean(),
                                  w);
                          return in.get("x").convolve(w.sub(g), Window.of(1, 1), 1);
                        },
                        Tree.leaf(in.get("w")))));
    Choices.Settings patches = Choices.Settings.DEFAULT.with(Convolution.PATCHES);
    Choices choices = new Choices(patches, false, true, Ways.IMPLICIT);
    assertThat(
            Lowering.program(p.graph(), choices).steps().stream().flatMap(s -> s.writes().stream()))
        .filteredOn(Im2col.Stored.class::isInstance)
        .as("tasks of what is stored")
        .extracting(s -> ((Im2col.Stored) s).type().shape().dim(0))
        .contains(1);
    for (CudaDevice device : devices(folder)) {
      try (device) {
        check("shared images", p, device, 1e-4);
      }
    }
  }

  @TestFactory
  Stream<DynamicTest> everyConvolutionByPatches() {
    CudaDevice device = FakeCard.openWithPatches(Choices.Precision.F32);
    List<OpCase> all = OpCases.all().filter(c -> ConvOp.class.isAssignableFrom(c.op())).toList();
    assertThat(all).isNotEmpty();
    FakeCard.prepare(
        device,
        Stream.concat(
            all.stream().map(OpCase::program),
            all.stream()
                .filter(c -> c.smoothness() == OpCase.Smoothness.TWICE)
                .map(c -> GradientCheck.program(c, 2))));
    return all.stream()
        .map(c ->
            DynamicTest.dynamicTest(
                c.name(),
                () -> {
                  BackendCheck.check(device, c, DType.F32);
                  BackendCheck.check(device, c, DType.BF16);
                  if (c.smoothness() == OpCase.Smoothness.TWICE) {
                    GradientCheck.compare(c, 2, device);
                  }
                }))
        .onClose(device::close);
  }

  @Test
  void patchesOfTensorCores() {
    try (CudaDevice device = FakeCard.openWithPatches(Choices.Precision.TF32)) {
      ProgramCheck.check(MetaStep.program(), 2, device, 0.1);
    }
  }

  private static List<String> labels(CudaDevice device, Program p) {
    try (Plan plan = device.compile(p)) {
      return plan.parts().stream().map(Plan.Part::label).toList();
    }
  }

  @Test
  void patchesGoToTheLibraryForAllTasksAtOnce(@TempDir Path folder) {
    Program p = rows().getFirst().program(e -> e);
    try (CudaDevice device = FakeCard.openWithLibrary(Convolution.PATCHES, folder)) {
      assertThat(labels(device, p))
          .anyMatch(l -> l.startsWith("patches, convolve"))
          .anyMatch(l -> l.startsWith("cublasLt product of patches, convolve"))
          .anyMatch(l -> l.startsWith("sums of patches, "))
          .noneMatch(l -> l.startsWith("convolve"));
    }
    try (CudaDevice device = FakeCard.open()) {
      long flops;
      try (Plan plan = device.compile(p)) {
        flops = plan.flops();
      }
      try (CudaDevice other = FakeCard.openWithPatches(Choices.Precision.F32);
          Plan plan = other.compile(p)) {
        assertThat(plan.flops()).isEqualTo(flops);
      }
    }
    try (CudaDevice device = FakeCard.openWithLibrary(Convolution.PATCHES, folder)) {
      Row plain = rows().get(4);
      assertThat(labels(device, plain.program(e -> e)))
          .noneMatch(l -> l.startsWith("patches"))
          .noneMatch(l -> l.startsWith("sums of patches"))
          .anyMatch(l -> l.startsWith("cublasLt product of patches"));
    }
  }

  private static List<Path> kept(Path folder) throws IOException {
    Path choices = folder.resolve("convolutions");
    if (!Files.exists(choices)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(choices)) {
      return files.toList();
    }
  }

  @Test
  void whatIsQuickerIsMeasuredOnceAndRemembered(@TempDir Path folder) throws IOException {
    Program p = rows().getFirst().program(e -> e);
    FakeCuda card = FakeCuda.control();
    try (CudaDevice device = FakeCard.openWithLibrary(Convolution.MEASURED, folder)) {
      labels(device, p);
      assertThat(kept(folder)).hasSizeGreaterThanOrEqualTo(3); // forward and both gradients
      long launches = card.calls("cuGraphLaunch");
      labels(device, p);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(launches);
    }
    for (Ways.Way way : Ways.Way.values()) {
      for (Path file : kept(folder)) {
        Files.write(file, new byte[] {(byte) way.ordinal()});
      }
      long launches = card.calls("cuGraphLaunch");
      try (CudaDevice device = FakeCard.openWithLibrary(Convolution.MEASURED, folder)) {
        assertThat(labels(device, p).stream().anyMatch(l -> l.startsWith("patches, convolve")))
            .isEqualTo(way == Ways.Way.PATCHES);
        assertThat(labels(device, p).stream().anyMatch(l -> l.startsWith("convolve")))
            .isEqualTo(way == Ways.Way.IMPLICIT);
      }
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(launches);
    }
    for (Path file : kept(folder)) {
      Files.write(file, new byte[] {17}); // no way
    }
    long launches = card.calls("cuGraphLaunch");
    try (CudaDevice device = FakeCard.openWithLibrary(Convolution.MEASURED, folder)) {
      labels(device, p);
      assertThat(card.calls("cuGraphLaunch")).isGreaterThan(launches);
    }
  }

  @Test
  void whatCannotBeMeasuredIsNotRemembered(@TempDir Path folder) throws IOException {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(1, 6, 6, 3), "w", Type.f32(3, 3, 3, 4)),
            in -> Tree.of("y", in.get("x").convolve(in.get("w"), Window.of(1, 1), 1)));
    try (CudaDevice device = FakeCard.openWithLibrary(Convolution.MEASURED, folder)) {
      FakeCard.prepare(device, Stream.of(p));
      // The first of its allocations measures the product, the second both ways.
      FakeCuda.control().fail("cuMemAlloc_v2", 2, 1);
      assertThat(labels(device, p)).anyMatch(l -> l.startsWith("convolve"));
      assertThat(kept(folder)).isEmpty();
      FakeCuda.control().fail("cublasLtMatmulAlgoGetHeuristic", 15, 0);
      assertThat(labels(device, rows().get(1).program(e -> e)))
          .anyMatch(l -> l.startsWith("convolve"));
      labels(device, p);
      assertThat(kept(folder)).isNotEmpty();
    }
  }
}
