package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Convert;
import dev.vauban.tensor.backend.fusion.Region.Index;
import dev.vauban.tensor.backend.fusion.Region.Instruction;
import dev.vauban.tensor.backend.fusion.Region.Kind;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Operand;
import dev.vauban.tensor.backend.fusion.Region.Output;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Random regions of all types, ranks and layouts. Functions whose result is not exactly rounded
 * feed outputs only: a comparison or a cancellation of them would amplify their error.
 */
final class RandomRegions {
  private static final int[] SIZES = {2, 3, 5, 7, 8, 13, 16, 17, 31, 33, 48, 64, 65, 100, 130, 207};
  private static final int[] LENGTHS = {1, 3, 7, 8, 13, 16, 31, 64, 100, 207, 1024, 4098};

  private final RandomGenerator random;
  private final long maxPoints;
  private final List<Integer> dims = new ArrayList<>();
  private final List<Operand> operands = new ArrayList<>();
  private final List<Instruction> code = new ArrayList<>();

  private RandomRegions(RandomGenerator random, long maxPoints) {
    this.random = random;
    this.maxPoints = maxPoints;
  }

  /** A region of at most about {@code maxPoints} points. */
  static Region next(RandomGenerator random, long maxPoints) {
    return new RandomRegions(random, maxPoints).region();
  }

  /** True if the value's last bits may differ from a correctly rounded computation. */
  static boolean isApproximate(Region region, int value) {
    return switch (region.code().get(value)) {
      case Apply a ->
          !isExact(a.fn()) || a.args().stream().anyMatch(arg -> isApproximate(region, arg));
      case Convert c -> isApproximate(region, c.arg());
      case Load l -> false;
      case Constant c -> false;
      case Index i -> false;
    };
  }

  private static boolean isExact(ScalarFn fn) {
    return switch (fn) {
      case EXP, EXPM1, LOG, LOG1P, SIN, COS, TANH, SIGMOID, ERF, RSQRT, POW -> false;
      default -> true;
    };
  }

  private Region region() {
    int rank = 1 + random.nextInt(4);
    long points = 1;
    for (int d = 0; d < rank; d++) {
      int[] sizes = rank == 1 ? LENGTHS : SIZES;
      int size = sizes[random.nextInt(sizes.length)];
      if (points * size > maxPoints) {
        size = 2;
      }
      dims.add(size);
      points *= size;
    }
    Collections.shuffle(dims, new java.util.Random(random.nextLong()));
    int loads = 1 + random.nextInt(4);
    for (int i = 0; i < loads; i++) {
      operands.add(new Operand(storedType(), operandStrides()));
      code.add(new Load(i, computeType()));
    }
    int applies = random.nextInt(9);
    for (int i = 0; i < applies; i++) {
      code.add(instruction());
    }
    List<Output> outputs = new ArrayList<>();
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      outputs.add(output(i == 0 ? code.size() - 1 : random.nextInt(code.size())));
    }
    return new Region(List.copyOf(dims), operands, code, outputs);
  }

  private DType storedType() {
    return switch (random.nextInt(20)) {
      case 0, 1, 2 -> DType.BF16;
      case 3, 4 -> DType.U8;
      case 5, 6 -> DType.I32;
      case 7 -> DType.F64;
      default -> DType.F32;
    };
  }

  private DType computeType() {
    return switch (random.nextInt(20)) {
      case 0, 1, 2 -> DType.I32;
      case 3 -> DType.F64;
      default -> DType.F32;
    };
  }

  private Instruction instruction() {
    switch (random.nextInt(10)) {
      case 0 -> {
        return new Constant(random.nextInt(-4, 5) / 2.0, computeType());
      }
      case 1 -> {
        return new Index(random.nextInt(dims.size()), computeType());
      }
      case 2 -> {
        return new Convert(exactValue(null), computeType());
      }
      default -> {
        int first = exactValue(null);
        DType compute = code.get(first).compute();
        ScalarFn fn = function(compute);
        List<Integer> args = new ArrayList<>(List.of(first));
        while (args.size() < fn.arity()) {
          args.add(exactValue(compute));
        }
        Collections.shuffle(args, new java.util.Random(random.nextLong()));
        return new Apply(fn, args, compute);
      }
    }
  }

  private ScalarFn function(DType compute) {
    ScalarFn[] all = ScalarFn.values();
    while (true) {
      ScalarFn fn = all[random.nextInt(all.length)];
      boolean isScalar = fn == ScalarFn.SIN || fn == ScalarFn.COS || fn == ScalarFn.POW;
      if (compute == DType.I32 ? fn.onIntegers() : !isScalar || random.nextInt(8) == 0) {
        return fn;
      }
    }
  }

  private int exactValue(DType compute) {
    Region soFar = new Region(dims, operands, code, List.of());
    List<Integer> candidates =
        IntStream.range(0, code.size())
            .filter(v -> compute == null || code.get(v).compute() == compute)
            .filter(v -> !isApproximate(soFar, v))
            .boxed()
            .toList();
    return candidates.get(random.nextInt(candidates.size()));
  }

  private List<Long> operandStrides() {
    List<Integer> order = order();
    boolean[] repeated = new boolean[dims.size()];
    if (random.nextInt(3) == 0) {
      for (int d = 0; d < repeated.length; d++) {
        repeated[d] = random.nextInt(3) == 0;
      }
    }
    List<Long> strides = strides(order, repeated);
    if (random.nextInt(15) == 0) {
      int d = random.nextInt(dims.size());
      strides.set(d, -strides.get(d));
    }
    return strides;
  }

  private Output output(int value) {
    DType compute = code.get(value).compute();
    DType stored = random.nextInt(4) == 0 ? storedType() : compute;
    if (random.nextInt(2) == 0) {
      return new Store(value, stored, strides(order(), new boolean[dims.size()]));
    }
    boolean[] reduced = new boolean[dims.size()];
    for (int d = 0; d < reduced.length; d++) {
      reduced[d] = random.nextBoolean();
    }
    Kind kind = Kind.values()[random.nextInt(3)];
    return new Reduction(kind, value, stored, strides(order(), reduced));
  }

  /** Mostly row-major. */
  private List<Integer> order() {
    List<Integer> order = new ArrayList<>(IntStream.range(0, dims.size()).boxed().toList());
    if (random.nextInt(8) == 0) {
      Collections.shuffle(order, new java.util.Random(random.nextLong()));
    }
    return order;
  }

  /** Dense strides, or rows that are a little apart, or every second element. */
  private List<Long> strides(List<Integer> order, boolean[] repeated) {
    Long[] strides = new Long[dims.size()];
    long next = random.nextInt(15) == 0 ? 2 : 1;
    for (int i = order.size() - 1; i >= 0; i--) {
      int d = order.get(i);
      strides[d] = repeated[d] ? 0 : next;
      next *= repeated[d] ? 1 : dims.get(d);
      next += random.nextInt(8) == 0 ? 3 : 0;
    }
    return new ArrayList<>(List.of(strides));
  }
}
