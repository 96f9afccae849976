package dev.vauban.natives.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.natives.cuda.GemmSpec.Matrices;
import dev.vauban.natives.cuda.GemmSpec.Order;
import dev.vauban.natives.cuda.GemmSpec.Type;
import dev.vauban.natives.cuda.Gemms.Gemm;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Products against straight loops in double, on the fake card; what is tested is the layouts. */
class GemmsTest {
  @TempDir Path folder;
  private CudaContext card;
  private long usedBefore;
  private CudaStream stream;
  private Gemms gemms;

  @BeforeEach
  void open() {
    FakeCuda.control().forget();
    usedBefore = FakeCuda.control().used();
    card = CudaDriver.load(FakeCuda.library()).open(0);
    stream = card.stream();
    gemms = CublasLt.load(FakeCuda.library()).open(card, folder);
  }

  @AfterEach
  void close() {
    assertThat(FakeCuda.control().fencesAreWhole()).isTrue();
    card.close();
    assertThat(FakeCuda.control().used()).isEqualTo(usedBefore);
  }

  static List<GemmSpec> specs() {
    int m = 5;
    int n = 7;
    int k = 3;
    return Stream.of(Type.values())
        .flatMap(type ->
            Stream.of(
                GemmSpec.of(type, 1, m, n, k),
                GemmSpec.of(type, 4, m, n, k),
                new GemmSpec(
                    type,
                    3,
                    m,
                    n,
                    k,
                    Matrices.columns(m, k),
                    Matrices.rows(k, n),
                    Matrices.rows(m, n)),
                new GemmSpec(
                    type,
                    3,
                    m,
                    n,
                    k,
                    Matrices.rows(m, k).shared(),
                    Matrices.columns(k, n),
                    Matrices.rows(m, n)),
                new GemmSpec(
                    type,
                    2,
                    m,
                    n,
                    k,
                    new Matrices(Order.COLUMNS, 9, 40),
                    new Matrices(Order.COLUMNS, 4, 50),
                    new Matrices(Order.ROWS, 11, 100)),
                GemmSpec.of(type, 2, 1, 1, 1)))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("specs")
  void everyElementIsTheSumOfItsProducts(GemmSpec spec) {
    boolean bf16 = spec.type() == Type.BF16 || spec.type() == Type.BF16_TO_BF16;
    boolean out16 = spec.type() == Type.BF16_TO_BF16;
    Random random = new Random(7);
    float[] a = random(random, extent(spec.a(), spec.m(), spec.k(), spec.batch()), bf16);
    float[] b = random(random, extent(spec.b(), spec.k(), spec.n(), spec.batch()), bf16);
    int size = extent(spec.c(), spec.m(), spec.n(), spec.batch());
    long c = card.allocate(size * (out16 ? 2L : 4L), "c");
    Gemm gemm = gemms.prepare(spec, stream);
    gemm.run(stream, upload(a, bf16), upload(b, bf16), c);
    float[] got = download(c, size, out16);
    double tolerance =
        switch (spec.type()) {
          case F32, BF16 -> 1e-6;
          case TF32 -> 2e-3;
          case BF16_TO_BF16 -> 1e-2;
        };
    for (int i = 0; i < spec.batch(); i++) {
      for (int row = 0; row < spec.m(); row++) {
        for (int column = 0; column < spec.n(); column++) {
          double sum = 0;
          for (int j = 0; j < spec.k(); j++) {
            sum += (double) a[at(spec.a(), i, row, j)] * b[at(spec.b(), i, j, column)];
          }
          assertThat((double) got[at(spec.c(), i, row, column)]).isCloseTo(sum, within(tolerance));
        }
      }
    }
    assertThat(gemm.description()).matches("cuBLASLt \\w+, algorithm [12] of 2: .* us");
  }

  private static int at(Matrices m, int batch, int row, int column) {
    return Math.toIntExact(
        batch * m.batchStride()
            + (m.order() == Order.ROWS ? row * m.leading() + column : column * m.leading() + row));
  }

  private static int extent(Matrices m, int rows, int columns, int batch) {
    return at(m, batch - 1, rows - 1, columns - 1) + 1;
  }

  private static float[] random(Random random, int count, boolean bf16) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      float v = random.nextFloat() - 0.5f;
      values[i] = bf16 ? Float.intBitsToFloat(Float.floatToRawIntBits(v) & 0xFFFF0000) : v;
    }
    return values;
  }

  private long upload(float[] values, boolean bf16) {
    MemorySegment host = card.pinned(values.length * (bf16 ? 2L : 4L));
    for (int i = 0; i < values.length; i++) {
      if (bf16) {
        host.set(
            ValueLayout.JAVA_SHORT, i * 2L, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
      } else {
        host.set(ValueLayout.JAVA_FLOAT, i * 4L, values[i]);
      }
    }
    long device = card.allocate(host.byteSize(), "an operand");
    stream.copyToDevice(device, host);
    return device;
  }

  private float[] download(long device, int count, boolean bf16) {
    MemorySegment host = card.pinned(count * (bf16 ? 2L : 4L));
    stream.copyToHost(host, device);
    stream.synchronize();
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          bf16
              ? Float.intBitsToFloat(host.get(ValueLayout.JAVA_SHORT, i * 2L) << 16)
              : host.get(ValueLayout.JAVA_FLOAT, i * 4L);
    }
    return values;
  }

  @Test
  void aProductIsCapturedAndReplayed() {
    Gemm gemm = gemms.prepare(GemmSpec.of(Type.F32, 1, 1, 1, 2), stream);
    long a = upload(new float[] {1, 2}, false);
    long b = upload(new float[] {3, 4}, false);
    long c = card.allocate(4, "c");
    CudaGraph graph = stream.capture(() -> gemm.run(stream, a, b, c));
    assertThat(graph.nodes()).isEqualTo(1);
    graph.launch(stream);
    assertThat(download(c, 1, false)).containsExactly(11);
  }

  @Test
  void choicesAreRememberedAndDoubtfulOnesMeasuredAgain() throws IOException {
    GemmSpec spec = GemmSpec.of(Type.F32, 2, 4, 4, 4);
    gemms.prepare(spec, stream);
    gemms.prepare(spec, stream);
    assertThat(FakeCuda.control().calls("cublasLtMatmulAlgoGetHeuristic")).isEqualTo(1);
    try (Gemms again = CublasLt.load(FakeCuda.library()).open(card, folder)) {
      assertThat(again.prepare(spec, stream).description()).isEqualTo("cuBLASLt F32, remembered");
    }
    try (Stream<Path> files = Files.list(folder)) {
      Files.write(files.findFirst().orElseThrow(), new byte[64]); // no algorithm of the library's
    }
    try (Gemms again = CublasLt.load(FakeCuda.library()).open(card, folder)) {
      assertThat(again.prepare(spec, stream).description()).contains("algorithm");
    }
  }

  @Test
  void whereMemoryIsShortTheLibrarysFirstAlgorithmIsTaken() {
    FakeCuda.control().fail("cuMemAlloc_v2", 2, 0);
    assertThat(gemms.prepare(GemmSpec.of(Type.F32, 1, 2, 2, 2), stream).description())
        .contains("algorithm 1 of 2");
  }

  @Test
  void whatTheLibraryRefusesIsSaidInItsWords() {
    FakeCuda.control().fail("cublasLtMatmulAlgoGetHeuristic", 15, 0);
    assertThatThrownBy(() -> gemms.prepare(GemmSpec.of(Type.F32, 1, 2, 2, 2), stream))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("CUBLAS_STATUS_NOT_SUPPORTED (15")
        .hasMessageContaining("cuBLASLt 13.1.1, " + FakeCuda.library());
  }

  @Test
  void whatCannotBeAskedIsRefused() {
    assertThatThrownBy(() -> GemmSpec.of(Type.F32, 1, 0, 2, 2))
        .hasMessage("a product of 1 times [0,2] by [2,2]: every size is 1 or more");
    GemmSpec transposed =
        new GemmSpec(
            Type.F32, 1, 2, 2, 2, Matrices.rows(2, 2), Matrices.rows(2, 2), Matrices.columns(2, 2));
    assertThatThrownBy(() -> gemms.prepare(transposed, stream))
        .hasMessageStartingWith("the results of a product lie row after row");
    Gemm gemm = gemms.prepare(GemmSpec.of(Type.F32, 1, 1, 1, 1), stream);
    long x = card.allocate(64, "x");
    assertThatThrownBy(() -> gemm.run(stream, x, x + 4, x + 16))
        .hasMessageContaining("multiples of 16 bytes");
    gemms.close();
    assertThatThrownBy(() -> gemm.run(stream, x, x, x)).hasMessageContaining("closed");
  }
}
