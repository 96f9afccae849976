package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.BF16;
import static dev.vauban.tensor.DType.F32;
import static dev.vauban.tensor.DType.I32;
import static dev.vauban.tensor.DType.U8;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.cpu.kernels.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.Vector;
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
  private final VectorMath math = new VectorMath(this);

  // Constants and masks are wanted in the middle of loops and made at the top of the method: the
  // method is emitted twice, first only to learn which ones it needs.
  private final Set<Invariant> wanted;
  private final Map<Invariant, Slot> made = new LinkedHashMap<>();
  private final Map<DType, Slot> limits = new EnumMap<>(DType.class);

  /** A value that is the same for the whole method. */
  sealed interface Invariant {}

  private record FloatConstant(int bits) implements Invariant {}

  private record IntConstant(int value) implements Invariant {}

  private record Mask(DType dtype, int count) implements Invariant {}

  /** 0, 1, 2, ... */
  private record LaneNumbers(DType dtype) implements Invariant {}

  /**
   * @param wanted what an earlier pass over the same method asked for, made here and now; grows by
   *     what this pass asks for
   */
  VectorCode(Bytecode code, VectorWidth width, Set<Invariant> wanted) {
    this.code = code;
    this.width = width;
    this.wanted = wanted;
    for (Invariant invariant : new LinkedHashSet<>(wanted)) {
      made.put(invariant, make(invariant));
    }
  }

  @Override
  public int lanes() {
    return width.lanes();
  }

  private Slot invariant(Invariant key) {
    wanted.add(key);
    Slot slot = made.get(key);
    return slot != null ? slot : make(key);
  }

  private Slot make(Invariant key) {
    return switch (key) {
      case FloatConstant c -> {
        pushSpecies(F32);
        code.push(Float.intBitsToFloat(c.bits));
        code.call(FloatVector.class, "broadcast", VectorSpecies.class, float.class);
        yield code.keep(FloatVector.class);
      }
      case IntConstant c -> {
        pushSpecies(I32);
        code.push(c.value);
        code.call(IntVector.class, "broadcast", VectorSpecies.class, int.class);
        yield code.keep(IntVector.class);
      }
      case Mask m -> firstLanes(m.dtype, () -> code.push(m.count));
      case LaneNumbers n -> {
        Class<?> type = vectorClass(n.dtype);
        pushSpecies(n.dtype);
        code.call(type, "zero", VectorSpecies.class);
        code.push(1);
        code.call(type, "addIndex", int.class);
        yield code.keep(type);
      }
    };
  }

  private Slot mask(DType dtype, int count) {
    return count == LIMITED ? limits.get(dtype) : invariant(new Mask(dtype, count));
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
      limits.put(type, firstLanes(type, () -> code.load(count)));
    }
  }

  /** The mask of the lanes below a count, an int from 0 to the number of lanes. */
  private Slot firstLanes(DType type, Runnable pushCount) {
    // Not VectorMask.fromLong: it branches on full masks, and a merged mask would be boxed.
    code.load(invariant(new LaneNumbers(type)));
    code.push(VectorOperators.class, "LT");
    pushSpecies(type);
    pushCount.run();
    narrowInt(type);
    code.call(vectorClass(type), "broadcast", VectorSpecies.class, primitive(type));
    code.call(vectorClass(type), "compare", VectorOperators.Comparison.class, Vector.class);
    return code.keep(VectorMask.class);
  }

  /** Converts the small int on the stack. */
  private void narrowInt(DType type) {
    switch (type) {
      case F32 -> code.op(Opcodes.I2F);
      case BF16 -> code.op(Opcodes.I2S);
      case U8 -> code.op(Opcodes.I2B);
      case I32 -> {}
      case F64 -> throw new IllegalArgumentException("f64 is computed by scalar code");
    }
  }

  private void pushSpecies(DType dtype) {
    code.push(vectorClass(dtype), "SPECIES_" + width.lanes() * dtype.bytes() * 8);
  }

  private static Class<?> vectorClass(DType dtype) {
    return switch (dtype) {
      case F32 -> FloatVector.class;
      case I32 -> IntVector.class;
      case BF16 -> ShortVector.class;
      case U8 -> ByteVector.class;
      case F64 -> throw new IllegalArgumentException("f64 is computed by scalar code");
    };
  }

  // ---- memory

  @Override
  public Value load(Place place, DType compute) {
    Class<?> type = vectorClass(place.dtype());
    boolean whole = place.count() == lanes();
    Slot mask = whole ? null : mask(place.dtype(), place.count());
    pushSpecies(place.dtype());
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
        reshapeTo(I32);
        code.push(VectorOperators.class, "LSHL");
        code.push(16);
        code.call(IntVector.class, "lanewise", VectorOperators.Binary.class, int.class);
        code.call(IntVector.class, "reinterpretAsFloats");
      }
      case U8 -> {
        code.push(VectorOperators.class, "ZERO_EXTEND_B2I");
        reshapeTo(I32);
      }
      case F64 -> throw new IllegalArgumentException("f64 is computed by scalar code");
    }
    DType loaded = stored.isFloat() ? F32 : I32;
    return convert(new Value(loaded, code.keep(vectorClass(loaded))), compute);
  }

  @Override
  public Value loadRepeated(Place place, DType compute) {
    DType dtype = place.dtype();
    DType loaded = dtype.isFloat() ? F32 : I32;
    pushSpecies(loaded);
    pushAddress(place.pointer(), place.offset());
    code.call(NativeMemory.class, dtype.label(), long.class);
    code.call(vectorClass(loaded), "broadcast", VectorSpecies.class, primitive(loaded));
    return convert(new Value(loaded, code.keep(vectorClass(loaded))), compute);
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
      Slot bits = bits(number);
      Slot odd = and(shiftRightUnsigned(bits, 16), 1);
      Slot rounded = binary(addInt(bits, 0x7fff), "add", odd);
      Slot quiet = or(bits, 0x400000);
      Slot magnitude = and(bits, Integer.MAX_VALUE);
      Slot infinity = invariant(new IntConstant(Float.floatToRawIntBits(Float.POSITIVE_INFINITY)));
      Slot chosen = blend(rounded, quiet, compare(VectorOperators.GT, magnitude, infinity));
      code.load(shiftRightUnsigned(chosen, 16));
      code.push(VectorOperators.class, "I2S");
      reshapeTo(BF16);
      return code.keep(ShortVector.class);
    }
    if (dtype == U8) {
      Slot limited = binary(number, "max", invariant(new IntConstant(0)));
      code.load(binary(limited, "min", invariant(new IntConstant(255))));
      code.push(VectorOperators.class, "I2B");
      reshapeTo(U8);
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

  /** Vector and conversion on the stack become a vector of this type with as many lanes. */
  private void reshapeTo(DType dtype) {
    pushSpecies(dtype);
    code.push(0);
    code.call(
        Vector.class,
        "convertShape",
        VectorOperators.Conversion.class,
        VectorSpecies.class,
        int.class);
    code.cast(vectorClass(dtype));
  }

  private static Class<?> primitive(DType dtype) {
    return switch (dtype) {
      case F32 -> float.class;
      case I32 -> int.class;
      case BF16 -> short.class;
      case U8 -> byte.class;
      case F64 -> double.class;
    };
  }

  // ---- values

  @Override
  public Value constant(double value, DType compute) {
    return new Value(compute, number(value, compute), null, value);
  }

  private Slot number(double value, DType compute) {
    return compute == F32 ? constant((float) value) : invariant(new IntConstant((int) value));
  }

  /** A float constant in all lanes. */
  Slot constant(float value) {
    return invariant(new FloatConstant(Float.floatToRawIntBits(value)));
  }

  @Override
  public Value index(Slot i, int offset, DType compute) {
    pushSpecies(I32);
    code.load(i);
    code.push(offset);
    code.op(Opcodes.IADD);
    code.call(IntVector.class, "broadcast", VectorSpecies.class, int.class);
    return convert(new Value(I32, code.keep(IntVector.class)), compute);
  }

  @Override
  public Value laneIndex(Slot i, int offset, DType compute) {
    pushSpecies(I32);
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
    return new Value(compute, compute == F32 ? toFloats(from) : toInts(from));
  }

  @Override
  public Value apply(ScalarFn fn, List<Value> args, DType compute, Form form) {
    if (fn.isComparison()) {
      Slot mask = compare(comparison(fn), args.get(0).number(), args.get(1).number());
      Slot number = form == Form.MASK ? null : blend(number(0, compute), number(1, compute), mask);
      return new Value(compute, number, mask, null);
    }
    if (fn == ScalarFn.SELECT) {
      Value condition = args.get(0);
      Slot mask =
          condition.mask() != null
              ? condition.mask()
              : compare(VectorOperators.NE, condition.number(), number(0, condition.compute()));
      return new Value(compute, blend(args.get(2).number(), args.get(1).number(), mask));
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
      case NEG -> unary(a, "neg");
      case ABS -> unary(a, "abs");
      case SIGN -> {
        Slot zero = number(0, compute);
        // Zeros and NaN are their own sign.
        Slot positive = blend(a, number(1, compute), compare(VectorOperators.GT, a, zero));
        yield blend(positive, number(-1, compute), compare(VectorOperators.LT, a, zero));
      }
      case FLOOR -> math.floor(a);
      case EXP -> math.exp(a);
      case EXPM1 -> math.expm1(a);
      case LOG -> math.log(a);
      case LOG1P -> math.log1p(a);
      case TANH -> math.tanh(a);
      case SIGMOID -> math.sigmoid(a);
      case ERF -> math.erf(a);
      case SQRT -> unary(a, "sqrt");
      case RSQRT -> div(constant(1), unary(a, "sqrt"));
      case RECIPROCAL -> div(constant(1), a);
      // A comparison and a blend take half the time of max and leave NaN alone; LE also turns -0
      // into 0, as Math.max does.
      case RELU -> {
        Slot zero = number(0, compute);
        yield blend(a, zero, compare(VectorOperators.LE, a, zero));
      }
      case ADD -> binary(a, "add", b);
      case SUB -> binary(a, "sub", b);
      case MUL -> binary(a, "mul", b);
      case DIV -> binary(a, "div", b);
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
      case -1 -> div(constant(1), x);
      case 1 -> x;
      case 2 -> mul(x, x);
      case 3 -> mul(mul(x, x), x);
      default -> throw new IllegalArgumentException("no vector form of power " + exponent);
    };
  }

  // Against a known limit, a comparison and a blend take half the time of max and leave NaN alone.

  private Slot max(Slot a, Value limit) {
    if (limit.known() == null || limit.known().isNaN()) {
      return binary(a, "max", limit.number());
    }
    boolean zero = Double.compare(limit.known(), 0.0) == 0; // then -0 must become 0
    var below = zero ? VectorOperators.LE : VectorOperators.LT;
    return blend(a, limit.number(), compare(below, a, limit.number()));
  }

  private Slot min(Slot a, Value limit) {
    if (limit.known() == null || limit.known().isNaN()) {
      return binary(a, "min", limit.number());
    }
    boolean zero = Double.compare(limit.known(), -0.0) == 0; // then 0 must become -0
    var above = zero ? VectorOperators.GE : VectorOperators.GT;
    return blend(a, limit.number(), compare(above, a, limit.number()));
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
      case SUM -> number(0, compute);
      case MAX -> number(compute == F32 ? Double.NEGATIVE_INFINITY : Integer.MIN_VALUE, compute);
      case MIN -> number(compute == F32 ? Double.POSITIVE_INFINITY : Integer.MAX_VALUE, compute);
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
      number = blend(neutralConstant(kind, compute), number, mask(compute, count));
    }
    code.load(binary(number, method(kind), accumulator));
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
    Slot result = binary(before, method(reduced.kind()), accumulator);
    store(new Value(reduced.compute(), result), place);
  }

  @Override
  public void finishLanes(Reduced reduced, List<Slot> accumulators, Place place) {
    Slot vector = neutralConstant(reduced.kind(), reduced.compute());
    for (Slot accumulator : accumulators) {
      vector = binary(vector, method(reduced.kind()), accumulator);
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
    Slot result = code.keep(primitive(reduced.compute()));
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

  // ---- the vocabulary of VectorMath

  Slot add(Slot a, Slot b) {
    return binary(a, "add", b);
  }

  Slot sub(Slot a, Slot b) {
    return binary(a, "sub", b);
  }

  Slot mul(Slot a, Slot b) {
    return binary(a, "mul", b);
  }

  Slot div(Slot a, Slot b) {
    return binary(a, "div", b);
  }

  Slot neg(Slot a) {
    return unary(a, "neg");
  }

  Slot abs(Slot a) {
    return unary(a, "abs");
  }

  /** a * b + c, rounded once. */
  Slot fma(Slot a, Slot b, Slot c) {
    code.load(a);
    code.load(b);
    code.load(c);
    code.call(FloatVector.class, "fma", Vector.class, Vector.class);
    return code.keep(FloatVector.class);
  }

  /** c0 + c1 x + c2 x^2 + ... by Horner's rule. */
  Slot polynomial(Slot x, float... coefficients) {
    Slot y = constant(coefficients[coefficients.length - 1]);
    for (int i = coefficients.length - 2; i >= 0; i--) {
      y = fma(y, x, constant(coefficients[i]));
    }
    return y;
  }

  /** b where the mask is set, else a. */
  Slot blend(Slot a, Slot b, Slot mask) {
    code.load(a);
    code.load(b);
    code.load(mask);
    code.call(a.type(), "blend", Vector.class, VectorMask.class);
    return code.keep(a.type());
  }

  Slot compare(VectorOperators.Comparison comparison, Slot a, Slot b) {
    code.load(a);
    code.push(VectorOperators.class, NAMES.get(comparison));
    code.load(b);
    code.call(a.type(), "compare", VectorOperators.Comparison.class, Vector.class);
    return code.keep(VectorMask.class);
  }

  Slot isNaN(Slot x) {
    return compare(VectorOperators.NE, x, x);
  }

  /** The magnitude of {@code magnitude} with the sign of {@code sign}. */
  Slot copySign(Slot magnitude, Slot sign) {
    Slot signBit = and(bits(sign), Integer.MIN_VALUE);
    Slot rest = and(bits(magnitude), Integer.MAX_VALUE);
    code.load(rest);
    code.load(signBit);
    code.call(IntVector.class, "or", Vector.class);
    return floats(code.keep(IntVector.class));
  }

  Slot bits(Slot x) {
    code.load(x);
    code.call(FloatVector.class, "reinterpretAsInts");
    return code.keep(IntVector.class);
  }

  Slot floats(Slot bits) {
    code.load(bits);
    code.call(IntVector.class, "reinterpretAsFloats");
    return code.keep(FloatVector.class);
  }

  Slot toFloats(Slot ints) {
    return converted(ints, "I2F", F32);
  }

  /** Truncates, saturates; NaN gives 0. */
  private Slot toInts(Slot floats) {
    return converted(floats, "F2I", I32);
  }

  private Slot converted(Slot from, String conversion, DType to) {
    code.load(from);
    code.push(VectorOperators.class, conversion);
    code.push(0);
    code.call(Vector.class, "convert", VectorOperators.Conversion.class, int.class);
    code.cast(vectorClass(to));
    return code.keep(vectorClass(to));
  }

  Slot addInt(Slot a, int constant) {
    return binary(a, "add", invariant(new IntConstant(constant)));
  }

  Slot subInt(Slot a, Slot b) {
    return binary(a, "sub", b);
  }

  Slot shiftLeft(Slot a, int bits) {
    return lanewise(a, "LSHL", bits);
  }

  /** Keeps the sign. */
  Slot shiftRight(Slot a, int bits) {
    return lanewise(a, "ASHR", bits);
  }

  private Slot shiftRightUnsigned(Slot a, int bits) {
    return lanewise(a, "LSHR", bits);
  }

  private Slot and(Slot a, int constant) {
    return binary(a, "and", invariant(new IntConstant(constant)));
  }

  private Slot or(Slot a, int constant) {
    return binary(a, "or", invariant(new IntConstant(constant)));
  }

  private Slot lanewise(Slot a, String operator, int operand) {
    code.load(a);
    code.push(VectorOperators.class, operator);
    code.push(operand);
    code.call(IntVector.class, "lanewise", VectorOperators.Binary.class, int.class);
    return code.keep(IntVector.class);
  }

  private Slot unary(Slot a, String method) {
    code.load(a);
    code.call(a.type(), method);
    return code.keep(a.type());
  }

  private Slot binary(Slot a, String method, Slot b) {
    code.load(a);
    code.load(b);
    code.call(a.type(), method, Vector.class);
    return code.keep(a.type());
  }

  private static final Map<VectorOperators.Comparison, String> NAMES =
      Map.of(
          VectorOperators.LT, "LT",
          VectorOperators.LE, "LE",
          VectorOperators.GT, "GT",
          VectorOperators.GE, "GE",
          VectorOperators.EQ, "EQ",
          VectorOperators.NE, "NE");
}
