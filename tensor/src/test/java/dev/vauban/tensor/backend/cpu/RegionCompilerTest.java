package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.BF16;
import static dev.vauban.tensor.DType.F32;
import static dev.vauban.tensor.DType.F64;
import static dev.vauban.tensor.DType.I32;
import static dev.vauban.tensor.DType.U8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Instruction;
import dev.vauban.tensor.backend.fusion.Region.Kind;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Operand;
import dev.vauban.tensor.backend.fusion.Region.Output;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RegionCompilerTest {

  /** All widths; with masks for all types, for wide ones only, for none. */
  static Stream<VectorWidth> widths() {
    return Stream.of(
        new VectorWidth(4, 8),
        new VectorWidth(8, 4),
        new VectorWidth(8, 1),
        new VectorWidth(16, 1));
  }

  // ---- any region

  @ParameterizedTest
  @MethodSource("widths")
  void randomRegionsEqualTheInterpreter(VectorWidth width) {
    int regions = Integer.getInteger("vauban.regions", 150);
    long first = Long.getLong("vauban.seed", 1000L * width.lanes());
    for (long seed = first; seed < first + regions; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      try {
        RegionCheck.check(RandomRegions.next(random, 12_000), width, random);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", " + width, e);
      }
    }
  }

  /** Runs until HotSpot has compiled the kernel: values must not change by a bit on the way. */
  @Test
  void compiledKernelsGiveTheBitsOfInterpretedOnes() {
    int regions = Integer.getInteger("vauban.compiled.regions", 12);
    long first = Long.getLong("vauban.seed", 77);
    for (long seed = first; seed < first + regions; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      try {
        RegionCheck.check(RandomRegions.next(random, 400), VectorWidth.chosen(), random, 3000);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }

  @Test
  void everySizeIsCoveredAndNotExceeded() {
    SplittableRandom random = new SplittableRandom(1);
    for (VectorWidth width : widths().toList()) {
      for (int size : new int[] {1, 3, 7, 8, 13, 16, 31, 64, 100, 207, 1024, 4098}) {
        for (DType dtype : DType.values()) {
          for (List<Integer> dims : List.of(List.of(size), List.of(3, size))) {
            Region region =
                new Region(
                    dims,
                    List.of(new Operand(dtype, dense(dims)), new Operand(dtype, perColumn(dims))),
                    List.of(
                        new Load(0, compute(dtype)),
                        new Load(1, compute(dtype)),
                        new Apply(ScalarFn.ADD, List.of(0, 1), compute(dtype))),
                    List.of(
                        new Store(2, dtype, dense(dims)),
                        new Reduction(Kind.MAX, 2, dtype, perColumn(dims))));
            RegionCheck.check(region, width, random);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void everyPatternOfReducedDimensions(VectorWidth width) {
    SplittableRandom random = new SplittableRandom(2);
    for (List<Integer> dims :
        List.of(
            List.of(70),
            List.of(5, 64),
            List.of(75, 5),
            List.of(300, 3),
            List.of(3, 5, 33),
            List.of(2, 4, 3, 19),
            List.of(66, 2, 100))) {
      for (int pattern = 1; pattern < 1 << dims.size(); pattern++) {
        int reduced = pattern;
        List<Integer> kept =
            IntStream.range(0, dims.size()).filter(d -> (reduced >> d & 1) == 0).boxed().toList();
        for (DType dtype : List.of(F32, BF16, I32, F64)) {
          List<Long> strides = dense(dims, kept);
          DType compute = compute(dtype);
          Region region =
              new Region(
                  dims,
                  List.of(new Operand(dtype, dense(dims))),
                  List.of(new Load(0, compute), new Apply(ScalarFn.ABS, List.of(0), compute)),
                  List.of(
                      new Reduction(Kind.SUM, 0, dtype, strides),
                      new Reduction(Kind.MAX, 0, dtype, strides),
                      new Reduction(Kind.MIN, 1, dtype, strides)));
          RegionCheck.check(region, width, random);
        }
      }
    }
  }

  @Test
  void longSumsStayAccurate() {
    int rows = 40_000;
    Region region =
        new Region(
            List.of(rows, 20),
            List.of(new Operand(F32, List.of(20L, 1L))),
            List.of(new Load(0, F32)),
            List.of(
                new Reduction(Kind.SUM, 0, F32, List.of(0L, 1L)),
                new Reduction(Kind.SUM, 0, F32, List.of(0L, 0L))));
    float[] inputs = new float[rows * 20];
    Arrays.fill(inputs, 0.1f);
    List<float[]> sums = run(region, List.of(inputs), 20, 1);
    float oneAccumulator = 0;
    for (int row = 0; row < rows; row++) {
      oneAccumulator += 0.1f;
    }
    double expected = rows * (double) 0.1f;
    assertThat(Math.abs(oneAccumulator - expected)).isGreaterThan(expected * 1e-4);
    for (float column : sums.get(0)) {
      assertThat((double) column).isCloseTo(expected, within(expected * 1e-5));
    }
    assertThat((double) sums.get(1)[0]).isCloseTo(20 * expected, within(20 * expected * 1e-5));
  }

  // ---- functions

  private static final float[] SPECIAL = {
    0f,
    -0f,
    1f,
    -1f,
    0.5f,
    -0.5f,
    2f,
    3f,
    -3f,
    1.5f,
    -2.5f,
    1000f,
    -1000f,
    88.7f,
    89f,
    -87f,
    -103f,
    -105f,
    1e-40f,
    -1e-40f,
    Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    8388607.5f,
    8388609f,
    -8388607.5f,
    1e30f,
    -1e30f,
    0.9999999f,
    1.0000001f,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN
  };

  @Test
  void everyFunctionOnSpecialValues() {
    int n = SPECIAL.length;
    float[][] columns = new float[3][n * n * 3];
    for (int i = 0; i < n * n * 3; i++) {
      columns[0][i] = SPECIAL[i % n];
      columns[1][i] = SPECIAL[i / n % n];
      columns[2][i] = SPECIAL[(i + i / n) % n];
    }
    for (ScalarFn fn : ScalarFn.values()) {
      for (long spacing : new long[] {1, 2}) { // vector code and scalar code
        List<Integer> args = IntStream.range(0, fn.arity()).boxed().toList();
        List<Instruction> code = new ArrayList<>();
        List<Operand> operands = new ArrayList<>();
        List<float[]> inputs = new ArrayList<>();
        for (int arg : args) {
          operands.add(new Operand(F32, List.of(spacing)));
          code.add(new Load(arg, F32));
          inputs.add(spaced(columns[arg], (int) spacing));
        }
        code.add(new Apply(fn, args, F32));
        Region region =
            new Region(
                List.of(n * n * 3),
                operands,
                code,
                List.of(new Store(fn.arity(), F32, List.of(1L))));
        float[] results = run(region, inputs, n * n * 3).get(0);
        for (int i = 0; i < results.length; i++) {
          float wanted = (float) fn.apply(columns[0][i], columns[1][i], columns[2][i]);
          assertSame(
              fn + "(" + columns[0][i] + ", " + columns[1][i] + ", " + columns[2][i] + ")",
              results[i],
              wanted,
              RandomRegions.isApproximate(region, fn.arity()) ? 4 : 0);
        }
      }
    }
  }

  @Test
  void limitsThatAreConstants() {
    for (double limit : new double[] {0.0, -0.0, 1, -3, Double.NaN, Double.POSITIVE_INFINITY}) {
      Region region =
          new Region(
              List.of(SPECIAL.length),
              List.of(new Operand(F32, List.of(1L))),
              List.of(
                  new Load(0, F32),
                  new Region.Constant(limit, F32),
                  new Apply(ScalarFn.MAX, List.of(0, 1), F32),
                  new Apply(ScalarFn.MIN, List.of(0, 1), F32),
                  new Apply(ScalarFn.CLAMP, List.of(0, 1, 1), F32)),
              List.of(
                  new Store(2, F32, List.of(1L)),
                  new Store(3, F32, List.of(1L)),
                  new Store(4, F32, List.of(1L))));
      List<float[]> results =
          run(region, List.of(SPECIAL), SPECIAL.length, SPECIAL.length, SPECIAL.length);
      for (int i = 0; i < SPECIAL.length; i++) {
        float l = (float) limit;
        assertSame("max " + limit, results.get(0)[i], Math.max(SPECIAL[i], l), 0);
        assertSame("min " + limit, results.get(1)[i], Math.min(SPECIAL[i], l), 0);
        assertSame("clamp " + limit, results.get(2)[i], Math.min(Math.max(SPECIAL[i], l), l), 0);
      }
    }
  }

  @Test
  void smallPowersAreProducts() {
    for (double exponent : new double[] {-1, 1, 2, 3}) {
      Region region =
          new Region(
              List.of(SPECIAL.length),
              List.of(new Operand(F32, List.of(1L))),
              List.of(
                  new Load(0, F32),
                  new Region.Constant(exponent, F32),
                  new Apply(ScalarFn.POW, List.of(0, 1), F32)),
              List.of(new Store(2, F32, List.of(1L))));
      float[] results = run(region, List.of(SPECIAL), SPECIAL.length).get(0);
      for (int i = 0; i < SPECIAL.length; i++) {
        float wanted = (float) Math.pow(SPECIAL[i], exponent);
        assertSame(SPECIAL[i] + " to the " + exponent, results[i], wanted, 2);
      }
    }
  }

  /** The bounds that {@link VectorMath} states, over every 997th float. */
  @Test
  void functionsAreAccurateForAllExponents() {
    assertAccurate(ScalarFn.EXP, 1.1);
    assertAccurate(ScalarFn.EXPM1, 1.5);
    assertAccurate(ScalarFn.LOG, 1);
    assertAccurate(ScalarFn.LOG1P, 1.5);
    assertAccurate(ScalarFn.TANH, 2.5);
    assertAccurate(ScalarFn.SIGMOID, 2.5);
    assertAccurate(ScalarFn.ERF, 1.1);
    assertAccurate(ScalarFn.FLOOR, 0);
    assertAccurate(ScalarFn.RSQRT, 1.5);
  }

  private static void assertAccurate(ScalarFn fn, double bound) {
    int n = 1 << 16;
    Region region =
        new Region(
            List.of(n),
            List.of(new Operand(F32, List.of(1L))),
            List.of(new Load(0, F32), new Apply(fn, List.of(0), F32)),
            List.of(new Store(1, F32, List.of(1L))));
    RegionKernel kernel = RegionCompiler.compile(region);
    double worst = 0;
    float at = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(n * 4L, 64);
      MemorySegment y = arena.allocate(n * 4L, 64);
      long[] addresses = {x.address(), y.address()};
      for (long bits = 0; bits < 1L << 32; bits += 997L * n) {
        for (int i = 0; i < n; i++) {
          int pattern = (int) Math.min(bits + 997L * i, (1L << 32) - 1);
          x.setAtIndex(ValueLayout.JAVA_INT, i, pattern);
        }
        kernel.run(addresses);
        for (int i = 0; i < n; i++) {
          float input = x.getAtIndex(ValueLayout.JAVA_FLOAT, i);
          double error = ulps(y.getAtIndex(ValueLayout.JAVA_FLOAT, i), fn.apply(input, 0, 0));
          if (error > worst) {
            worst = error;
            at = input;
          }
        }
      }
    }
    if (Boolean.getBoolean("vauban.verbose")) {
      System.err.printf("%s: %.3f ulp at %s%n", fn, worst, at);
    }
    assertThat(worst).as("error of %s in ulp, at %s", fn, at).isLessThanOrEqualTo(bound);
  }

  // ---- promises to the caller

  @Test
  void equalRegionsShareAKernelAlsoAcrossThreads() {
    Region a = addition(12345);
    List<RegionKernel> kernels =
        IntStream.range(0, 64)
            .parallel()
            .mapToObj(i -> RegionCompiler.compile(addition(12345)))
            .toList();
    assertThat(kernels).allMatch(k -> k == RegionCompiler.compile(a));
    assertThat(RegionCompiler.compile(addition(12346))).isNotSameAs(kernels.get(0));
  }

  @Test
  void aStoreMayOverwriteItsOperand() {
    Region region =
        new Region(
            List.of(100, 37),
            List.of(new Operand(F32, List.of(37L, 1L)), new Operand(F32, List.of(0L, 1L))),
            List.of(
                new Load(0, F32), new Load(1, F32), new Apply(ScalarFn.MUL, List.of(0, 1), F32)),
            List.of(
                new Store(2, F32, List.of(37L, 1L)),
                new Reduction(Kind.SUM, 0, F32, List.of(1L, 0L)),
                new Reduction(Kind.SUM, 0, F32, List.of(0L, 1L))));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(3700 * 4, 64);
      MemorySegment scale = arena.allocate(37 * 4, 64);
      MemorySegment rows = arena.allocate(100 * 4, 64);
      MemorySegment columns = arena.allocate(37 * 4, 64);
      for (int i = 0; i < 3700; i++) {
        x.setAtIndex(ValueLayout.JAVA_FLOAT, i, i % 37);
        scale.setAtIndex(ValueLayout.JAVA_FLOAT, i % 37, 2 + i % 37);
      }
      RegionCompiler.compile(region)
          .run(
              new long[] {
                x.address(), scale.address(), x.address(), rows.address(), columns.address()
              });
      for (int i = 0; i < 3700; i++) {
        int c = i % 37;
        assertThat(x.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(c * (2f + c));
        assertThat(columns.getAtIndex(ValueLayout.JAVA_FLOAT, c)).isEqualTo(100f * c);
        assertThat(rows.getAtIndex(ValueLayout.JAVA_FLOAT, i / 37)).isEqualTo(36 * 37 / 2f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void aRegionWithMuchCode(VectorWidth width) {
    for (List<Integer> dims : List.of(List.of(37), List.of(4, 100), List.of(3, 5, 64))) {
      for (DType stored : List.of(F32, BF16, I32)) {
        List<Instruction> code = new ArrayList<>(List.of(new Load(0, F32), new Load(1, F32)));
        for (int i = 0; i < 6; i++) {
          int last = code.size() - 1;
          code.add(new Apply(ScalarFn.FLOOR, List.of(last), F32));
          code.add(new Apply(ScalarFn.MUL, List.of(last + 1, 0), F32));
        }
        int last = code.size() - 1;
        Region region =
            new Region(
                dims,
                List.of(new Operand(stored, dense(dims)), new Operand(F32, perColumn(dims))),
                code,
                List.of(
                    new Store(last, F32, dense(dims)),
                    new Store(4, stored, dense(dims)),
                    new Reduction(Kind.MAX, 4, F32, perColumn(dims)),
                    new Reduction(Kind.MIN, 3, F32, dense(dims, List.of(0)))));
        assertThat(2 * RegionCompiler.cost(region)).isGreaterThan(RegionCompiler.MAX_COST);
        RegionCheck.check(region, width, new SplittableRandom(6));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("widths")
  void aRegionWithManyArrays(VectorWidth width) {
    for (List<Integer> dims : List.of(List.of(4, 5), List.of(37), List.of(70, 100))) {
      for (DType sum : List.of(F32, BF16)) {
        List<Operand> operands = new ArrayList<>();
        List<Instruction> code = new ArrayList<>();
        List<Output> outputs = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
          operands.add(new Operand(F32, dense(dims)));
          code.add(new Load(i, F32));
          outputs.add(new Store(i, F32, dense(dims)));
        }
        code.add(new Region.Index(dims.size() - 1, F32));
        outputs.add(new Store(12, F32, dense(dims)));
        outputs.add(new Reduction(Kind.SUM, 12, sum, dense(dims, List.of(0))));
        outputs.add(new Reduction(Kind.MAX, 3, F32, dense(dims, List.of(0))));
        Region region = new Region(dims, operands, code, outputs);
        RegionCheck.check(region, width, new SplittableRandom(7));
      }
    }
  }

  @Test
  void aRegionTooLargeForVectorsIsStillRight() {
    List<Instruction> code = new ArrayList<>(List.of(new Load(0, F32)));
    for (int i = 0; i < 150; i++) {
      code.add(new Apply(i % 2 == 0 ? ScalarFn.SIGN : ScalarFn.FLOOR, List.of(i), F32));
    }
    code.add(new Apply(ScalarFn.ADD, List.of(0, 150), F32));
    Region region =
        new Region(
            List.of(333),
            List.of(new Operand(F32, List.of(1L))),
            code,
            List.of(new Store(151, F32, List.of(1L))));
    assertThat(RegionCompiler.cost(region)).isGreaterThan(RegionCompiler.MAX_COST);
    RegionCheck.check(region, VectorWidth.chosen(), new SplittableRandom(5));
  }

  @Test
  void whatCannotBeCompiledIsRefusedWithTheReason() {
    List<Instruction> code = new ArrayList<>(List.of(new Load(0, F32)));
    for (int i = 0; i < 2000; i++) {
      code.add(new Apply(ScalarFn.SQRT, List.of(i), F32));
    }
    assertThatThrownBy(() -> RegionCompiler.compile(unary(code, F32)))
        .isInstanceOf(RegionTooLargeException.class)
        .hasMessageContaining("limit is 7900");
    assertThatThrownBy(() ->
            RegionCompiler.compile(
                unary(List.of(new Load(0, I32), new Apply(ScalarFn.EXP, List.of(0), I32)), I32)))
        .hasMessage("EXP is not defined on I32");
    assertThatThrownBy(() -> RegionCompiler.compile(unary(List.of(new Load(0, BF16)), BF16)))
        .hasMessage("BF16 values are computed in F32 or I32");
  }

  // ---- helpers

  private static Region unary(List<Instruction> code, DType dtype) {
    return new Region(
        List.of(10),
        List.of(new Operand(dtype, List.of(1L))),
        code,
        List.of(new Store(code.size() - 1, dtype, List.of(1L))));
  }

  private static Region addition(int size) {
    return new Region(
        List.of(size),
        List.of(new Operand(F32, List.of(1L)), new Operand(F32, List.of(1L))),
        List.of(new Load(0, F32), new Load(1, F32), new Apply(ScalarFn.ADD, List.of(0, 1), F32)),
        List.of(new Store(2, F32, List.of(1L))));
  }

  private static DType compute(DType dtype) {
    return dtype == BF16 ? F32 : dtype == U8 ? I32 : dtype;
  }

  private static List<Long> dense(List<Integer> dims) {
    return dense(dims, IntStream.range(0, dims.size()).boxed().toList());
  }

  /** Dense strides over some dimensions, 0 along the others. */
  private static List<Long> dense(List<Integer> dims, List<Integer> kept) {
    List<Long> strides = new ArrayList<>(Collections.nCopies(dims.size(), 0L));
    long next = 1;
    for (int d = dims.size() - 1; d >= 0; d--) {
      if (kept.contains(d)) {
        strides.set(d, next);
        next *= dims.get(d);
      }
    }
    return strides;
  }

  private static List<Long> perColumn(List<Integer> dims) {
    return dense(dims, List.of(dims.size() - 1));
  }

  private static float[] spaced(float[] values, int spacing) {
    float[] out = new float[values.length * spacing];
    for (int i = 0; i < values.length; i++) {
      out[i * spacing] = values[i];
    }
    return out;
  }

  /** Runs a region of f32 arrays; gives the outputs, of the given lengths. */
  private static List<float[]> run(Region region, List<float[]> inputs, int... lengths) {
    try (Arena arena = Arena.ofConfined()) {
      long[] addresses = new long[inputs.size() + lengths.length];
      for (int i = 0; i < inputs.size(); i++) {
        MemorySegment segment = arena.allocate(inputs.get(i).length * 4L, 64);
        segment.copyFrom(MemorySegment.ofArray(inputs.get(i)));
        addresses[i] = segment.address();
      }
      List<MemorySegment> outputs = new ArrayList<>();
      for (int length : lengths) {
        MemorySegment segment = arena.allocate(length * 4L, 64);
        addresses[inputs.size() + outputs.size()] = segment.address();
        outputs.add(segment);
      }
      RegionCompiler.compile(region).run(addresses);
      return outputs.stream().map(s -> s.toArray(ValueLayout.JAVA_FLOAT)).toList();
    }
  }

  /** Equal bits (all NaN alike) if ulps is 0, otherwise a distance of at most so many. */
  private static void assertSame(String what, float actual, float wanted, double ulps) {
    boolean same = Float.compare(actual, wanted) == 0 || ulps > 0 && ulps(actual, wanted) <= ulps;
    assertThat(same).as("%s: %s instead of %s", what, actual, wanted).isTrue();
  }

  /** Distance in units of the last place of the exact value; NaN and infinities must agree. */
  private static double ulps(float actual, double exact) {
    float rounded = (float) exact;
    if (Float.isNaN(rounded) || Float.isInfinite(rounded) || Float.isNaN(actual)) {
      return Float.compare(actual, rounded) == 0 ? 0 : Double.POSITIVE_INFINITY;
    }
    return Math.abs(actual - exact) / Math.ulp(rounded);
  }

  private static org.assertj.core.data.Offset<Double> within(double tolerance) {
    return org.assertj.core.data.Offset.offset(tolerance);
  }
}
