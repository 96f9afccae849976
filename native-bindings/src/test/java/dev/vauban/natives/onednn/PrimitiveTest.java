package dev.vauban.natives.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.NativeException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every primitive against straight loops in double. */
class PrimitiveTest {
  private OneDnn dnn;
  private long stream;
  private Arena arena;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(
        OneDnn.status().available(), () -> "SKIPPED, no oneDNN: " + OneDnn.status().reason());
    dnn = OneDnn.get();
    stream = dnn.newStream();
    arena = Arena.ofConfined();
  }

  @AfterEach
  void close() {
    if (arena != null) {
      dnn.closeStream(stream);
      arena.close();
    }
  }

  static Stream<ConvSpec> convolutions() {
    List<ConvSpec> shapes =
        List.of(
            ConvSpec.of(1, 1, 1, 1, 1, 1, 1),
            ConvSpec.of(2, 5, 7, 3, 5, 3, 3),
            ConvSpec.of(3, 9, 8, 1, 64, 3, 3).pad(1, 1, 1, 1),
            ConvSpec.of(5, 14, 14, 64, 64, 3, 3).pad(1, 1, 1, 1),
            ConvSpec.of(1, 8, 8, 16, 32, 1, 1),
            ConvSpec.of(2, 11, 13, 17, 31, 3, 3).stride(2, 2).pad(1, 1, 1, 1),
            ConvSpec.of(2, 10, 9, 4, 6, 3, 2).stride(2, 3).pad(0, 2, 1, 0),
            ConvSpec.of(2, 12, 10, 8, 8, 3, 3).dilation(2, 3).pad(2, 1, 3, 0),
            ConvSpec.of(1, 7, 7, 5, 9, 5, 5).pad(2, 2, 2, 2).dilation(1, 1),
            ConvSpec.of(1, 9, 9, 7, 3, 7, 7).stride(3, 2).pad(3, 3, 3, 3),
            ConvSpec.of(2, 6, 6, 8, 12, 3, 3).groups(4).pad(1, 1, 1, 1),
            ConvSpec.of(2, 7, 5, 6, 9, 3, 3).groups(3).pad(1, 0, 0, 1).stride(2, 1),
            ConvSpec.of(2, 8, 8, 32, 32, 3, 3).groups(32).pad(1, 1, 1, 1),
            ConvSpec.of(1, 8, 8, 3, 6, 3, 3).groups(3).dilation(2, 2).pad(2, 2, 2, 2),
            ConvSpec.of(4, 6, 6, 32, 64, 3, 3).groups(2).pad(1, 1, 1, 1));
    DataType f = DataType.F32;
    DataType h = DataType.BF16;
    return shapes.stream()
        .flatMap(s -> Stream.of(s.types(f, f, f), s.types(h, h, h), s.types(h, h, f)));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void forward(ConvSpec s) {
    double[] x = Loops.random(1, s.xSize());
    double[] w = Loops.random(2, s.wSize());
    Operand left = Operand.of(arena, s.xType(), x);
    Operand right = Operand.of(arena, s.wType(), w);
    Operand out = Operand.of(arena, s.yType(), s.ySize());
    try (Primitive p = dnn.convForward(s)) {
      run(p, left, right, out);
      int terms = s.kernelHeight() * s.kernelWidth() * s.inputs() / s.groups();
      assertClose(out, Loops.forward(s, x, w), terms, p.describe());
      assertThat(p.flops()).isEqualTo(2L * s.ySize() * terms);
    }
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void backwardData(ConvSpec spec) {
    // The optional f32 result is x's gradient here.
    ConvSpec s = spec.types(spec.yType(), spec.wType(), spec.xType());
    double[] dy = Loops.random(3, s.ySize());
    double[] w = Loops.random(4, s.wSize());
    Operand left = Operand.of(arena, s.yType(), dy);
    Operand right = Operand.of(arena, s.wType(), w);
    Operand out = Operand.of(arena, s.xType(), s.xSize());
    try (Primitive p = dnn.convBackwardData(s)) {
      run(p, left, right, out);
      int terms = s.kernelHeight() * s.kernelWidth() * s.outputs() / s.groups();
      assertClose(out, Loops.backwardData(s, dy, w), terms, p.describe());
    }
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void backwardWeights(ConvSpec spec) {
    ConvSpec s = spec.types(spec.xType(), spec.yType(), spec.wType());
    double[] x = Loops.random(5, s.xSize());
    double[] dy = Loops.random(6, s.ySize());
    Operand left = Operand.of(arena, s.xType(), x);
    Operand right = Operand.of(arena, s.yType(), dy);
    Operand out = Operand.of(arena, s.wType(), s.wSize());
    try (Primitive p = dnn.convBackwardWeights(s)) {
      run(p, left, right, out);
      int terms = s.batch() * s.outHeight() * s.outWidth();
      assertClose(out, Loops.backwardWeights(s, x, dy), terms, p.describe());
    }
  }

  static Stream<MatmulSpec> matmuls() {
    return Stream.of(DataType.F32, DataType.BF16)
        .flatMap(t ->
            Stream.of(
                MatmulSpec.rowMajor(1, 1, 1, 1, t),
                MatmulSpec.rowMajor(1, 7, 13, 5, t),
                MatmulSpec.rowMajor(1, 64, 576, 64, t),
                MatmulSpec.rowMajor(3, 5, 31, 17, t),
                MatmulSpec.rowMajor(1, 33, 1, 9, t),
                MatmulSpec.rowMajor(2, 1, 40, 1, t),
                MatmulSpec.rowMajor(1, 7, 13, 5, t).a(columnMajor(t, 7, 13)),
                MatmulSpec.rowMajor(1, 7, 13, 5, t).b(columnMajor(t, 13, 5)),
                MatmulSpec.rowMajor(4, 7, 13, 5, t)
                    .a(columnMajor(t, 7, 13))
                    .b(columnMajor(t, 13, 5)),
                MatmulSpec.rowMajor(1, 25, 1600, 5, t).c(columnMajor(t, 25, 5)),
                MatmulSpec.rowMajor(3, 7, 13, 5, t)
                    .a(columnMajor(t, 7, 13))
                    .c(columnMajor(t, 7, 5)),
                MatmulSpec.rowMajor(3, 6, 10, 8, t)
                    .b(MatmulSpec.Layout.rowMajor(t, 10, 8).shared()),
                MatmulSpec.rowMajor(3, 6, 10, 8, t)
                    .a(MatmulSpec.Layout.rowMajor(t, 6, 10).shared()),
                // Rows inside a wider matrix; matrices interleaved row by row.
                MatmulSpec.rowMajor(2, 6, 10, 8, t)
                    .a(new MatmulSpec.Layout(t, 6 * 17, 17, 1))
                    .c(new MatmulSpec.Layout(t, 8, 16, 1)),
                // No unit stride at all.
                MatmulSpec.rowMajor(2, 5, 6, 7, t)
                    .a(new MatmulSpec.Layout(t, 90, 18, 3))
                    .b(new MatmulSpec.Layout(t, 84, 14, 2)),
                MatmulSpec.rowMajor(2, 9, 33, 12, t)
                    .c(MatmulSpec.Layout.rowMajor(DataType.F32, 9, 12))));
  }

  private static MatmulSpec.Layout columnMajor(DataType type, int rows, int columns) {
    return MatmulSpec.Layout.columnMajor(type, rows, columns);
  }

  @ParameterizedTest
  @MethodSource("matmuls")
  void matmul(MatmulSpec s) {
    double[] a = Loops.random(7, size(s.a(), s.batch(), s.rows(), s.inner()));
    double[] b = Loops.random(8, size(s.b(), s.batch(), s.inner(), s.columns()));
    int size = size(s.c(), s.batch(), s.rows(), s.columns());
    Operand left = Operand.of(arena, s.a().type(), a);
    Operand right = Operand.of(arena, s.b().type(), b);
    Operand out = Operand.of(arena, s.c().type(), new double[size]);
    try (Primitive p = dnn.matmul(s)) {
      run(p, left, right, out);
      // Elements of c between its rows start as 0 and must stay so.
      assertClose(out, Loops.matmul(s, a, b, size), s.inner(), p.describe());
    }
  }

  private static int size(MatmulSpec.Layout l, int batch, int rows, int columns) {
    return 1 + Loops.index(l, batch - 1, rows - 1, columns - 1);
  }

  @Test
  void describesShapesAndCode() {
    try (Primitive p = dnn.convForward(ConvSpec.of(2, 5, 7, 3, 5, 3, 3).stride(2, 1))) {
      assertThat(p.describe())
          .contains("conv forward f32[2,5,7,3] * f32[3,3,3,5] -> f32[2,2,5,5] stride 2,1")
          .contains(p.implementation());
      assertThat(p.implementation()).isNotBlank();
    }
  }

  @Test
  void typesThatOneDnnCannotMixAreRefusedByName() {
    ConvSpec spec =
        ConvSpec.of(1, 8, 8, 4, 4, 3, 3).types(DataType.BF16, DataType.F32, DataType.BF16);
    assertThatThrownBy(() -> dnn.convForward(spec))
        .isInstanceOfSatisfying(
            NativeException.class,
            e -> {
              assertThat(e.function()).contains("dnnl_convolution_forward_primitive_desc_create");
              assertThat(e.code()).hasValue(3);
            })
        .hasMessageContaining("returned 3 (unimplemented)")
        .hasMessageContaining("conv forward bf16[1,8,8,4] * f32[3,3,4,4] -> bf16[1,6,6,4]")
        .hasMessageContaining("oneDNN " + OneDnn.status().version())
        .hasMessageContaining(OneDnn.status().path());
  }

  @Test
  void impossibleShapesAreRefusedBeforeOneDnn() {
    ConvSpec base = ConvSpec.of(1, 8, 8, 4, 4, 3, 3);
    assertThatThrownBy(() -> base.groups(3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("convolution: 3 groups do not divide 4 input and 4 output channels");
    assertThatThrownBy(() -> base.dilation(4, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("convolution: the kernel spans 9 rows, and the padded image has only 8");
    assertThatThrownBy(() -> base.stride(0, 1))
        .hasMessage("convolution: strideH is 0, and must be at least 1");
    int huge = Integer.MAX_VALUE;
    assertThatThrownBy(() -> ConvSpec.of(huge, huge, huge, 1, 1, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("convolution: x may have ");
    assertThatThrownBy(() -> MatmulSpec.rowMajor(1, huge, huge, 1, DataType.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("matmul: a spans ");
    assertThatThrownBy(() -> MatmulSpec.rowMajor(1, 2, 0, 3, DataType.F32))
        .hasMessage("matmul: inner is 0, and must be at least 1");
  }

  @Test
  void addressesAreCheckedBeforeTheCall() {
    ConvSpec spec = ConvSpec.of(2, 8, 8, 16, 16, 3, 3);
    Operand x = Operand.of(arena, DataType.F32, spec.xSize());
    Operand w = Operand.of(arena, DataType.F32, spec.wSize());
    Operand y = Operand.of(arena, DataType.F32, spec.ySize());
    Primitive p = dnn.convForward(spec);
    assertThatThrownBy(() -> p.run(stream, x.address(), 0, y.address(), 64))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("the address right is 0 in conv forward");
    Assumptions.assumeTrue(p.scratchBytes() > 0);
    assertThatThrownBy(() -> p.run(stream, x.address(), w.address(), y.address(), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("aligned to 64");
    p.close();
    p.close();
    assertThatThrownBy(() -> p.run(stream, x.address(), w.address(), y.address(), 64))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageStartingWith("this primitive is closed: conv forward");
  }

  private void run(Primitive p, Operand left, Operand right, Operand out) {
    // Garbage in the scratch memory, and room for exactly what was asked for.
    Operand scratch = Operand.of(arena, DataType.BF16, (p.scratchBytes() + 1) / 2);
    p.run(stream, left.address(), right.address(), out.address(), scratch.address());
    assertThat(out.guardIntact()).as("written beyond the result, %s", p).isTrue();
    assertThat(scratch.guardIntact()).as("written beyond the scratch memory, %s", p).isTrue();
  }

  /**
   * Inputs are in [-1, 1], so a sum of n products has typical size sqrt(n/9). The kernels sum in
   * f32 in some order: error about 2^-24 * sqrt(n) * size; a bf16 result adds half a unit in its
   * last place.
   */
  private static void assertClose(Operand out, double[] expected, int terms, String what) {
    double[] actual = out.values();
    double sum = 4 * 0x1p-24 * Math.max(1, terms);
    for (int i = 0; i < expected.length; i++) {
      double tolerance =
          sum + (out.type() == DataType.BF16 ? 0x1p-8 * 1.01 * Math.abs(expected[i]) : 0);
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance)) {
        throw new AssertionError(
            what
                + ": element "
                + i
                + " is "
                + actual[i]
                + ", expected "
                + expected[i]
                + " +- "
                + tolerance);
      }
    }
  }
}
