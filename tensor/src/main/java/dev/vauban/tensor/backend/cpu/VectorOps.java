package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.F32;
import static dev.vauban.tensor.DType.I32;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
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
 * Emits single operations on vectors of one width: the vocabulary of {@link VectorCode} and {@link
 * VectorMath}. Operands and results are locals; types follow from those of the operands.
 */
final class VectorOps {
  private final Bytecode code;
  private final VectorWidth width;

  // Constants and masks are wanted in the middle of loops and made at the top of the method: the
  // method is emitted twice, first only to learn which ones it needs.
  private final Set<Invariant> wanted;
  private final Map<Invariant, Slot> made = new LinkedHashMap<>();

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
  VectorOps(Bytecode code, VectorWidth width, Set<Invariant> wanted) {
    this.code = code;
    this.width = width;
    this.wanted = wanted;
    for (Invariant invariant : new LinkedHashSet<>(wanted)) {
      made.put(invariant, make(invariant));
    }
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

  /** The mask of the first lanes of vectors of a type. */
  Slot mask(DType dtype, int count) {
    return invariant(new Mask(dtype, count));
  }

  /** The mask of the lanes below a count, an int from 0 to the number of lanes. */
  Slot firstLanes(DType type, Runnable pushCount) {
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

  /** Pushes the species of vectors of a type. */
  void pushSpecies(DType dtype) {
    code.push(vectorClass(dtype), "SPECIES_" + width.lanes() * dtype.bytes() * 8);
  }

  static Class<?> vectorClass(DType dtype) {
    return switch (dtype) {
      case F32 -> FloatVector.class;
      case I32 -> IntVector.class;
      case BF16 -> ShortVector.class;
      case U8 -> ByteVector.class;
      case F64 -> throw new IllegalArgumentException("f64 is computed by scalar code");
    };
  }

  /** A number in all lanes. */
  Slot number(double value, DType compute) {
    return compute == F32 ? constant((float) value) : invariant(new IntConstant((int) value));
  }

  /** A float constant in all lanes. */
  Slot constant(float value) {
    return invariant(new FloatConstant(Float.floatToRawIntBits(value)));
  }

  /** Vector and conversion on the stack become a vector of this type with as many lanes. */
  void reshapeTo(DType dtype) {
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

  static Class<?> primitive(DType dtype) {
    return switch (dtype) {
      case F32 -> float.class;
      case I32 -> int.class;
      case BF16 -> short.class;
      case U8 -> byte.class;
      case F64 -> double.class;
    };
  }

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
  Slot toInts(Slot floats) {
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

  Slot shiftRightUnsigned(Slot a, int bits) {
    return lanewise(a, "LSHR", bits);
  }

  Slot and(Slot a, int constant) {
    return binary(a, "and", invariant(new IntConstant(constant)));
  }

  Slot or(Slot a, int constant) {
    return binary(a, "or", invariant(new IntConstant(constant)));
  }

  private Slot lanewise(Slot a, String operator, int operand) {
    code.load(a);
    code.push(VectorOperators.class, operator);
    code.push(operand);
    code.call(IntVector.class, "lanewise", VectorOperators.Binary.class, int.class);
    return code.keep(IntVector.class);
  }

  /** Calls a method without parameters that gives a vector of the same type. */
  Slot unary(Slot a, String method) {
    code.load(a);
    code.call(a.type(), method);
    return code.keep(a.type());
  }

  /** Calls a method of a vector with another of the same type. */
  Slot binary(Slot a, String method, Slot b) {
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
