package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.BF16;
import static dev.vauban.tensor.DType.F32;
import static dev.vauban.tensor.DType.I32;
import static dev.vauban.tensor.DType.U8;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.cpu.kernels.Memory;
import dev.vauban.tensor.backend.fusion.Region;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.objectweb.asm.Opcodes;

/**
 * Lane code over the Vector API: f32 and i32 values of one species length; bf16 and u8 are widened
 * when loaded and narrowed when stored.
 */
final class VectorCode implements LaneCode {
  private final Bytecode code;
  private final VectorWidth width;
  private final VectorOps ops;
  private final VectorMath math;
  private final Map<DType, Slot> limits = new EnumMap<>(DType.class);

  /**
   * @param wanted see {@link VectorOps}
   */
  VectorCode(Bytecode code, VectorWidth width, Set<VectorOps.Invariant> wanted) {
    this.code = code;
    this.width = width;
    this.ops = new VectorOps(code, width, wanted);
    this.math = new VectorMath(ops);
  }

  @Override
  public int lanes() {
    return width.lanes();
  }

  private Slot mask(DType dtype, int count) {
    return count == LIMITED ? limits.get(dtype) : ops.mask(dtype, count);
  }

  @Override
  public void limit(Slot i, int size, Set<DType> types) {
    code.push(size);
    code.load(i);
    code.op(Opcodes.ISUB);
    code.push(lanes());
    code.call(Math.class, "min", int.class, int.class);
    Slot count = code.keep(int.class);
    for (DType type : types) {
      limits.put(type, ops.firstLanes(type, () -> code.load(count)));
    }
  }

  // ---- memory

  @Override
  public Value load(Place place, DType compute) {
    Class<?> type = VectorOps.vectorClass(place.dtype());
    boolean whole = place.count() == lanes();
    Slot mask = whole ? null : mask(place.dtype(), place.count());
    ops.pushSpecies(place.dtype());
    code.push(Memory.class, "ALL");
    pushAddress(place.pointer(), place.offset());
    code.push(ByteOrder.class, "LITTLE_ENDIAN");
    if (whole) {
      code.call(
          type,
          "fromMemorySegment",
          VectorSpecies.class,
          MemorySegment.class,
          long.class,
          ByteOrder.class);
    } else {
      code.load(mask);
      code.call(
          type,
          "fromMemorySegment",
          VectorSpecies.class,
          MemorySegment.class,
          long.class,
          ByteOrder.class,
          VectorMask.class);
    }
    return widened(place.dtype(), compute);
  }

  /** From a vector of stored elements on the stack to a value of type compute. */
  private Value widened(DType stored, DType compute) {
    switch (stored) {
      case F32, I32 -> {}
      case BF16 -> {
        code.push(VectorOperators.class, "S2I");
        ops.reshapeTo(I32);
        code.push(VectorOperators.class, "LSHL");
        code.push(16);
        code.call(IntVector.class, "lanewise", VectorOperators.Binary.class, int.class);
        code.call(IntVector.class, "reinterpretAsFloats");
      }
      case U8 -> {
        code.push(VectorOperators.class, "ZERO_EXTEND_B2I");
        ops.reshapeTo(I32);
      }
      case F64 -> throw new IllegalArgumentException("f64 is computed by scalar code");
    }
    DType loaded = stored.isFloat() ? F32 : I32;
    return convert(new Value(loaded, code.keep(VectorOps.vectorClass(loaded))), compute);
  }

  @Override
  public Value loadRepeated(Place place, DType compute) {
    DType dtype = place.dtype();
    DType loaded = dtype.isFloat() ? F32 : I32;
    ops.pushSpecies(loaded);
    pushAddress(place.pointer(), place.offset());
    code.call(NativeMemory.class, dtype.label(), long.class);
    code.call(
        VectorOps.vectorClass(loaded),
        "broadcast",
        VectorSpecies.class,
        VectorOps.primitive(loaded));
    return convert(new Value(loaded, code.keep(VectorOps.vectorClass(loaded))), compute);
  }

  @Override
  public void store(Value value, Place place) {
    DType dtype = place.dtype();
    Slot number = convert(value, dtype.isFloat() ? F32 : I32).number();
    storeVector(narrowed(number, dtype), place);
  }

  private Slot narrowed(Slot number, DType dtype) {
    if (dtype == BF16) {
      // Round to nearest, ties to even: add 0x7fff and the lowest bit that stays. NaN is set quiet
      // instead, since the addition could carry it into infinity.
      Slot bits = ops.bits(number);
      Slot odd = ops.and(ops.shiftRightUnsigned(bits, 16), 1);
      Slot rounded = ops.binary(ops.addInt(bits, 0x7fff), "add", odd);
      Slot quiet = ops.or(bits, 0x400000);
      Slot magnitude = ops.and(bits, Integer.MAX_VALUE);
      Slot infinity = ops.number(Float.floatToRawIntBits(Float.POSITIVE_INFINITY), I32);
      Slot chosen = ops.blend(rounded, quiet, ops.compare(VectorOperators.GT, magnitude, infinity));
      code.load(ops.shiftRightUnsigned(chosen, 16));
      code.push(VectorOperators.class, "I2S");
      ops.reshapeTo(BF16);
      return code.keep(ShortVector.class);
    }
    if (dtype == U8) {
      Slot limited = ops.binary(number, "max", ops.number(0, I32));
      code.load(ops.binary(limited, "min", ops.number(255, I32)));
      code.push(VectorOperators.class, "I2B");
      ops.reshapeTo(U8);
      return code.keep(ByteVector.class);
    }
    return number;
  }

  private void storeVector(Slot vector, Place place) {
    boolean whole = place.count() == lanes();
    Slot mask = whole ? null : mask(place.dtype(), place.count());
    code.load(vector);
    code.push(Memory.class, "ALL");
    pushAddress(place.pointer(), place.offset());
    code.push(ByteOrder.class, "LITTLE_ENDIAN");
    if (whole) {
      code.call(
          vector.type(), "intoMemorySegment", MemorySegment.class, long.class, ByteOrder.class);
    } else {
      code.load(mask);
      code.call(
          vector.type(),
          "intoMemorySegment",
          MemorySegment.class,
          long.class,
          ByteOrder.class,
          VectorMask.class);
    }
  }

  private void pushAddress(Slot pointer, long offset) {
    code.load(pointer);
    if (offset != 0) {
      code.push(offset);
      code.op(Opcodes.LADD);
    }
  }

  // ---- values

  @Override
  public Value constant(double value, DType compute) {
    return new Value(compute, ops.number(value, compute), null, value);
  }

  @Override
  public Value index(Slot i, int offset, DType compute) {
    ops.pushSpecies(I32);
    code.load(i);
    code.push(offset);
    code.op(Opcodes.IADD);
    code.call(IntVector.class, "broadcast", VectorSpecies.class, int.class);
    return convert(new Value(I32, code.keep(IntVector.class)), compute);
  }

  @Override
  public Value laneIndex(Slot i, int offset, DType compute) {
    ops.pushSpecies(I32);
    code.load(i);
    code.push(offset);
    code.op(Opcodes.IADD);
    code.call(IntVector.class, "broadcast", VectorSpecies.class, int.class);
    code.push(1);
    code.call(IntVector.class, "addIndex", int.class);
    return convert(new Value(I32, code.keep(IntVector.class)), compute);
  }

  @Override
  public Value convert(Value value, DType compute) {
    if (value.compute() == compute) {
      return value;
    }
    Slot from = value.number();
    return new Value(compute, compute == F32 ? ops.toFloats(from) : ops.toInts(from));
  }

  @Override
  public Value apply(ScalarFn fn, List<Value> args, DType compute, Form form) {
    if (fn.isComparison()) {
      Slot mask = ops.compare(comparison(fn), args.get(0).number(), args.get(1).number());
      Slot number =
          form == Form.MASK
              ? null
              : ops.blend(ops.number(0, compute), ops.number(1, compute), mask);
      return new Value(compute, number, mask, null);
    }
    if (fn == ScalarFn.SELECT) {
      Value condition = args.get(0);
      Slot mask =
          condition.mask() != null
              ? condition.mask()
              : ops.compare(
                  VectorOperators.NE, condition.number(), ops.number(0, condition.compute()));
      return new Value(compute, ops.blend(args.get(2).number(), args.get(1).number(), mask));
    }
    Slot a = args.get(0).number();
    Slot b = args.size() > 1 ? args.get(1).number() : null;
    return new Value(compute, compute(fn, args, a, b, compute));
  }

  private static VectorOperators.Comparison comparison(ScalarFn fn) {
    return switch (fn) {
      case LT -> VectorOperators.LT;
      case LE -> VectorOperators.LE;
      case EQ -> VectorOperators.EQ;
      case NE -> VectorOperators.NE;
      default -> throw new IllegalArgumentException(fn + " is no comparison");
    };
  }

  private Slot compute(ScalarFn fn, List<Value> args, Slot a, Slot b, DType compute) {
    return switch (fn) {
      case NEG -> ops.unary(a, "neg");
      case ABS -> ops.unary(a, "abs");
      case SIGN -> {
        Slot zero = ops.number(0, compute);
        // Zeros and NaN are their own sign.
        Slot positive =
            ops.blend(a, ops.number(1, compute), ops.compare(VectorOperators.GT, a, zero));
        yield ops.blend(
            positive, ops.number(-1, compute), ops.compare(VectorOperators.LT, a, zero));
      }
      case FLOOR -> math.floor(a);
      case EXP -> math.exp(a);
      case EXPM1 -> math.expm1(a);
      case LOG -> math.log(a);
      case LOG1P -> math.log1p(a);
      case TANH -> math.tanh(a);
      case SIGMOID -> math.sigmoid(a);
      case ERF -> math.erf(a);
      case SQRT -> ops.unary(a, "sqrt");
      case RSQRT -> ops.div(ops.constant(1), ops.unary(a, "sqrt"));
      case RECIPROCAL -> ops.div(ops.constant(1), a);
      // A comparison and a blend take half the time of max and leave NaN alone; LE also turns -0
      // into 0, as Math.max does.
      case RELU -> {
        Slot zero = ops.number(0, compute);
        yield ops.blend(a, zero, ops.compare(VectorOperators.LE, a, zero));
      }
      case ADD -> ops.binary(a, "add", b);
      case SUB -> ops.binary(a, "sub", b);
      case MUL -> ops.binary(a, "mul", b);
      case DIV -> ops.binary(a, "div", b);
      case MIN -> min(a, args.get(1));
      case MAX -> max(a, args.get(1));
      case CLAMP -> min(max(a, args.get(1)), args.get(2));
      case POW -> power(a, args.get(1).known());
      case SIN, COS -> throw new IllegalArgumentException(fn + " is computed by scalar code");
      case LT, LE, EQ, NE, SELECT -> throw new AssertionError(fn + " works on masks");
    };
  }

  /** Whether x to this power is a few multiplications. */
  static boolean isSmallPower(double exponent) {
    return exponent == -1 || exponent == 1 || exponent == 2 || exponent == 3;
  }

  private Slot power(Slot x, double exponent) {
    return switch ((int) exponent) {
      case -1 -> ops.div(ops.constant(1), x);
      case 1 -> x;
      case 2 -> ops.mul(x, x);
      case 3 -> ops.mul(ops.mul(x, x), x);
      default -> throw new IllegalArgumentException("no vector form of power " + exponent);
    };
  }

  // Against a known limit, a comparison and a blend take half the time of max and leave NaN alone.

  private Slot max(Slot a, Value limit) {
    if (limit.known() == null || limit.known().isNaN()) {
      return ops.binary(a, "max", limit.number());
    }
    boolean zero = Double.compare(limit.known(), 0.0) == 0; // then -0 must become 0
    var below = zero ? VectorOperators.LE : VectorOperators.LT;
    return ops.blend(a, limit.number(), ops.compare(below, a, limit.number()));
  }

  private Slot min(Slot a, Value limit) {
    if (limit.known() == null || limit.known().isNaN()) {
      return ops.binary(a, "min", limit.number());
    }
    boolean zero = Double.compare(limit.known(), -0.0) == 0; // then 0 must become -0
    var above = zero ? VectorOperators.GE : VectorOperators.GT;
    return ops.blend(a, limit.number(), ops.compare(above, a, limit.number()));
  }

  // ---- reductions

  @Override
  public Slot neutral(Region.Kind kind, DType compute) {
    Slot neutral = neutralConstant(kind, compute);
    code.load(neutral);
    return code.keep(neutral.type());
  }

  private Slot neutralConstant(Region.Kind kind, DType compute) {
    return switch (kind) {
      case SUM -> ops.number(0, compute);
      case MAX ->
          ops.number(compute == F32 ? Double.NEGATIVE_INFINITY : Integer.MIN_VALUE, compute);
      case MIN ->
          ops.number(compute == F32 ? Double.POSITIVE_INFINITY : Integer.MAX_VALUE, compute);
    };
  }

  // An accumulator is carried around a loop, where the just-in-time compiler knows its class only
  // from profiles that all users of the Vector API share. So no method is called on one: it is the
  // argument of a method of a vector whose class is certain.

  @Override
  public void accumulate(Region.Kind kind, Slot accumulator, Value value, int count) {
    Slot number = value.number();
    if (count < lanes()) {
      DType compute = value.compute();
      number = ops.blend(neutralConstant(kind, compute), number, mask(compute, count));
    }
    code.load(ops.binary(number, method(kind), accumulator));
    code.store(accumulator);
  }

  private static String method(Region.Kind kind) {
    return switch (kind) {
      case SUM -> "add";
      case MAX -> "max";
      case MIN -> "min";
    };
  }

  @Override
  public void finish(Reduced reduced, Slot accumulator, Place place) {
    Slot before =
        reduced.target() == Target.PARTIAL
            ? load(place, reduced.compute()).number()
            : neutralConstant(reduced.kind(), reduced.compute());
    Slot result = ops.binary(before, method(reduced.kind()), accumulator);
    store(new Value(reduced.compute(), result), place);
  }

  @Override
  public void finishLanes(Reduced reduced, List<Slot> accumulators, Place place) {
    Slot vector = neutralConstant(reduced.kind(), reduced.compute());
    for (Slot accumulator : accumulators) {
      vector = ops.binary(vector, method(reduced.kind()), accumulator);
    }
    ScalarCode scalar = new ScalarCode(code);
    if (reduced.kind() == Region.Kind.SUM) {
      // The order in which reduceLanes(ADD) adds is unspecified; this one is a balanced tree.
      addLanes(vector, 0, lanes());
    } else {
      code.load(vector);
      code.push(VectorOperators.class, reduced.kind().name());
      code.call(vector.type(), "reduceLanes", VectorOperators.Associative.class);
    }
    Slot result = code.keep(VectorOps.primitive(reduced.compute()));
    scalar.finish(reduced, result, place);
  }

  private void addLanes(Slot vector, int from, int to) {
    if (to - from == 1) {
      code.load(vector);
      code.push(from);
      code.call(vector.type(), "lane", int.class);
    } else {
      addLanes(vector, from, (from + to) / 2);
      addLanes(vector, (from + to) / 2, to);
      code.op(vector.type() == FloatVector.class ? Opcodes.FADD : Opcodes.IADD);
    }
  }
}
