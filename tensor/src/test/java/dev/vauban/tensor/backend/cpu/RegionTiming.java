package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.F32;

import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.kernels.Memory;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
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
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Emitted kernels against loops written by hand; a program to run, not a test. */
final class RegionTiming {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  private RegionTiming() {}

  /** A case: a region, and the same by hand. */
  record Case(String name, Region region, RegionKernel byHand) {}

  public static void main(String[] args) {
    List<Case> cases =
        List.of(
            new Case("batch-norm + relu [14700,64]", normalise(14700, 64), normaliseByHand(14700)),
            new Case("batch-norm + relu [490,64]", normalise(490, 64), normaliseByHand(490)),
            new Case("two column sums [14700,64]", columnSums(14700), columnSumsByHand(14700)),
            new Case("two column sums [490,64]", columnSums(490), columnSumsByHand(490)),
            new Case("(a+b)*c 1M", chain(1 << 20), chainByHand(1 << 20)),
            new Case("(a+b)*c 16K", chain(1 << 14), chainByHand(1 << 14)),
            new Case("(a+b)*c 1K", chain(1 << 10), chainByHand(1 << 10)),
            new Case("sum 64K", sum(1 << 16), sumByHand(1 << 16)),
            new Case("exp(a)*b 16K", exp(1 << 14, ScalarFn.EXP), null),
            new Case("tanh(a)*b 16K", exp(1 << 14, ScalarFn.TANH), null),
            new Case("sigmoid(a)*b 16K", exp(1 << 14, ScalarFn.SIGMOID), null),
            new Case("log(a)*b 16K", exp(1 << 14, ScalarFn.LOG), null),
            new Case("erf(a)*b 16K", exp(1 << 14, ScalarFn.ERF), null),
            new Case("sin(a)*b 16K (scalar)", exp(1 << 14, ScalarFn.SIN), null),
            new Case("softmax max [75,5]", rowMax(), rowMaxByHand()),
            new Case("softmax exp+sum [75,5]", rowExpSum(), null));
    for (Case c : cases) {
      if (args.length == 0 || c.name.contains(args[0])) {
        time(c);
      }
    }
  }

  private static void time(Case c) {
    try (Arena arena = Arena.ofConfined()) {
      int operands = c.region.operands().size();
      long[] addresses = new long[operands + c.region.outputs().size()];
      long points = c.region.points();
      for (int i = 0; i < addresses.length; i++) {
        MemorySegment segment = arena.allocate(points * 4 + 256, 64);
        for (long n = 0; n < points; n++) {
          segment.set(ValueLayout.JAVA_FLOAT, n * 4, (float) Math.sin(n * (i + 1)) + 1.1f);
        }
        addresses[i] = segment.address();
      }
      double emitted = nanos(RegionCompiler.compile(c.region), addresses);
      String byHand = "";
      if (c.byHand != null) {
        double hand = nanos(c.byHand, addresses);
        byHand = "  by hand %10.2f us  ratio %.2f".formatted(hand / 1000, emitted / hand);
      }
      System.out.printf(
          "%-30s %10.2f us  %6.3f ns/point%s%n", c.name, emitted / 1000, emitted / points, byHand);
    }
  }

  /** Best of several batches, after warming up. */
  private static double nanos(RegionKernel kernel, long[] addresses) {
    long warm = System.nanoTime();
    int runs = 0;
    while (System.nanoTime() - warm < 700_000_000L || runs < 2000) {
      kernel.run(addresses);
      runs++;
    }
    int batch = Math.max(1, runs / 60);
    double best = Double.MAX_VALUE;
    for (int i = 0; i < 15; i++) {
      long t = System.nanoTime();
      for (int r = 0; r < batch; r++) {
        kernel.run(addresses);
      }
      best = Math.min(best, (System.nanoTime() - t) / (double) batch);
    }
    return best;
  }

  // ---- regions

  private static Operand operand(Long... strides) {
    return new Operand(F32, Arrays.asList(strides));
  }

  private static Apply apply(ScalarFn fn, Integer... args) {
    return new Apply(fn, Arrays.asList(args), F32);
  }

  private static Region region(
      List<Integer> dims, List<Operand> operands, List<Instruction> code, Output... outputs) {
    return new Region(dims, operands, code, Arrays.asList(outputs));
  }

  private static Region normalise(int rows, int columns) {
    return region(
        List.of(rows, columns),
        List.of(operand((long) columns, 1L), operand(0L, 1L), operand(0L, 1L), operand(0L, 1L)),
        List.of(
            new Load(0, F32),
            new Load(1, F32),
            new Load(2, F32),
            new Load(3, F32),
            apply(ScalarFn.SUB, 0, 1),
            apply(ScalarFn.MUL, 4, 2),
            apply(ScalarFn.ADD, 5, 3),
            apply(ScalarFn.RELU, 6)),
        new Store(7, F32, List.of((long) columns, 1L)));
  }

  private static Region columnSums(int rows) {
    return region(
        List.of(rows, 64),
        List.of(operand(64L, 1L)),
        List.of(new Load(0, F32), apply(ScalarFn.MUL, 0, 0)),
        new Reduction(Kind.SUM, 0, F32, List.of(0L, 1L)),
        new Reduction(Kind.SUM, 1, F32, List.of(0L, 1L)));
  }

  private static Region chain(int n) {
    return region(
        List.of(n),
        List.of(operand(1L), operand(1L), operand(1L)),
        List.of(
            new Load(0, F32),
            new Load(1, F32),
            new Load(2, F32),
            apply(ScalarFn.ADD, 0, 1),
            apply(ScalarFn.MUL, 3, 2)),
        new Store(4, F32, List.of(1L)));
  }

  private static Region sum(int n) {
    return region(
        List.of(n),
        List.of(operand(1L)),
        List.of(new Load(0, F32)),
        new Reduction(Kind.SUM, 0, F32, List.of(0L)));
  }

  private static Region exp(int n, ScalarFn fn) {
    return region(
        List.of(n),
        List.of(operand(1L), operand(1L)),
        List.of(new Load(0, F32), new Load(1, F32), apply(fn, 0), apply(ScalarFn.MUL, 2, 1)),
        new Store(3, F32, List.of(1L)));
  }

  private static Region rowMax() {
    return region(
        List.of(75, 5),
        List.of(operand(5L, 1L)),
        List.of(new Load(0, F32)),
        new Reduction(Kind.MAX, 0, F32, List.of(1L, 0L)));
  }

  private static Region rowExpSum() {
    return region(
        List.of(75, 5),
        List.of(operand(5L, 1L), operand(1L, 0L)),
        List.of(
            new Load(0, F32),
            new Load(1, F32),
            apply(ScalarFn.SUB, 0, 1),
            apply(ScalarFn.EXP, 2),
            new Constant(0.2, F32),
            apply(ScalarFn.MUL, 3, 4)),
        new Store(3, F32, List.of(5L, 1L)),
        new Reduction(Kind.SUM, 5, F32, List.of(1L, 0L)));
  }

  // ---- by hand, for 64 columns in vectors of 16 (other widths take more vectors)

  private static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(S, Memory.ALL, address, LE);
  }

  private static void store(FloatVector v, long address) {
    v.intoMemorySegment(Memory.ALL, address, LE);
  }

  private static RegionKernel normaliseByHand(int rows) {
    return a -> normaliseRows(rows, a[0], a[1], a[2], a[3], a[4]);
  }

  private static void normaliseRows(int rows, long x, long m, long s, long b, long y) {
    for (int c = 0; c < 64; c += 2 * L) { // two vectors at a time
      FloatVector mean = load(m + c * 4L);
      FloatVector scale = load(s + c * 4L);
      FloatVector shift = load(b + c * 4L);
      FloatVector mean2 = load(m + c * 4L + L * 4L);
      FloatVector scale2 = load(s + c * 4L + L * 4L);
      FloatVector shift2 = load(b + c * 4L + L * 4L);
      for (int r = 0; r < rows; r++) {
        long at = c * 4L + r * 256L;
        FloatVector v = load(x + at).sub(mean).mul(scale).add(shift);
        FloatVector w = load(x + at + L * 4L).sub(mean2).mul(scale2).add(shift2);
        store(v.blend(0, v.compare(VectorOperators.LE, 0)), y + at);
        store(w.blend(0, w.compare(VectorOperators.LE, 0)), y + at + L * 4L);
      }
    }
  }

  private static RegionKernel columnSumsByHand(int rows) {
    return a -> columnSums(rows, a[0], a[1], a[2]);
  }

  private static void columnSums(int rows, long x, long sum, long squares) {
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector q0 = s0;
    FloatVector q1 = s0;
    FloatVector q2 = s0;
    FloatVector q3 = s0;
    for (int r = 0; r < rows; r++) {
      FloatVector v0 = load(x + r * 256L);
      FloatVector v1 = load(x + r * 256L + 64);
      FloatVector v2 = load(x + r * 256L + 128);
      FloatVector v3 = load(x + r * 256L + 192);
      s0 = s0.add(v0);
      s1 = s1.add(v1);
      s2 = s2.add(v2);
      s3 = s3.add(v3);
      q0 = q0.add(v0.mul(v0));
      q1 = q1.add(v1.mul(v1));
      q2 = q2.add(v2.mul(v2));
      q3 = q3.add(v3.mul(v3));
    }
    store(s0, sum);
    store(s1, sum + 64);
    store(s2, sum + 128);
    store(s3, sum + 192);
    store(q0, squares);
    store(q1, squares + 64);
    store(q2, squares + 128);
    store(q3, squares + 192);
  }

  private static RegionKernel chainByHand(int n) {
    return a -> chain(n, a[0], a[1], a[2], a[3]);
  }

  private static void chain(int n, long a, long b, long c, long y) {
    for (int i = 0; i < n; i += L) {
      store(load(a + i * 4L).add(load(b + i * 4L)).mul(load(c + i * 4L)), y + i * 4L);
    }
  }

  private static RegionKernel sumByHand(int n) {
    return a -> sum(n, a[0], a[1]);
  }

  private static void sum(int n, long x, long y) {
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int i = 0; i < n; i += 4 * L) {
      s0 = s0.add(load(x + i * 4L));
      s1 = s1.add(load(x + i * 4L + L * 4L));
      s2 = s2.add(load(x + i * 4L + L * 8L));
      s3 = s3.add(load(x + i * 4L + L * 12L));
    }
    Memory.ALL.set(
        ValueLayout.JAVA_FLOAT_UNALIGNED,
        y,
        s0.add(s1).add(s2.add(s3)).reduceLanes(VectorOperators.ADD));
  }

  private static RegionKernel rowMaxByHand() {
    VectorMask<Float> five = VectorMask.fromLong(S, 31);
    return a -> {
      for (int r = 0; r < 75; r++) {
        FloatVector v = FloatVector.fromMemorySegment(S, Memory.ALL, a[0] + r * 20L, LE, five);
        Memory.ALL.set(
            ValueLayout.JAVA_FLOAT_UNALIGNED,
            a[1] + r * 4L,
            v.reduceLanes(VectorOperators.MAX, five));
      }
    };
  }
}
