package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.F32;
import static dev.vauban.tensor.DType.F64;
import static dev.vauban.tensor.DType.I32;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.objectweb.asm.Opcodes;

/**
 * Lane code for one point at a time, in plain floats, doubles and ints: for f64, for strides that
 * vectors cannot follow and for the functions that have no vector form.
 */
record ScalarCode(Bytecode code) implements LaneCode {

  @Override
  public int lanes() {
    return 1;
  }

  @Override
  public void limit(Slot i, int size, Set<DType> types) {
    throw new AssertionError("scalar code has no lanes");
  }

  @Override
  public Value load(Place place, DType compute) {
    return loadRepeated(place, compute);
  }

  @Override
  public Value loadRepeated(Place place, DType compute) {
    pushAddress(place);
    code.call(NativeMemory.class, place.dtype().label(), long.class);
    cast(natural(place.dtype()), compute);
    return keep(compute);
  }

  @Override
  public Value constant(double value, DType compute) {
    push(value, compute);
    return keep(compute);
  }

  private void push(double value, DType compute) {
    switch (compute) {
      case F32 -> code.push((float) value);
      case F64 -> code.push(value);
      case I32 -> code.push((int) value);
      case BF16, U8 -> throw new IllegalArgumentException("nothing is computed in " + compute);
    }
  }

  @Override
  public Value index(Slot i, int offset, DType compute) {
    code.load(i);
    code.push(offset);
    code.op(Opcodes.IADD);
    cast(I32, compute);
    return keep(compute);
  }

  @Override
  public Value laneIndex(Slot i, int offset, DType compute) {
    throw new AssertionError("scalar code has no lanes");
  }

  @Override
  public Value convert(Value value, DType compute) {
    if (value.compute() == compute) {
      return value;
    }
    code.load(value.number());
    cast(value.compute(), compute);
    return keep(compute);
  }

  @Override
  public Value apply(ScalarFn fn, List<Value> args, DType compute, Form form) {
    Class<?> type = primitive(compute);
    Class<?>[] types = new Class<?>[args.size()];
    for (int i = 0; i < types.length; i++) {
      code.load(args.get(i).number());
      types[i] = type;
    }
    String name = fn.name().toLowerCase(Locale.ROOT);
    switch (fn) {
      case null -> throw new NullPointerException("fn"); // with it javac demands every constant
      case NEG -> code.op(opcode(Opcodes.INEG, compute));
      case ADD -> code.op(opcode(Opcodes.IADD, compute));
      case SUB -> code.op(opcode(Opcodes.ISUB, compute));
      case MUL -> code.op(opcode(Opcodes.IMUL, compute));
      case DIV -> code.op(opcode(Opcodes.IDIV, compute));
      case ABS, MAX, MIN -> code.call(Math.class, name, types);
      case SIGN,
          FLOOR,
          EXP,
          EXPM1,
          LOG,
          LOG1P,
          SIN,
          COS,
          TANH,
          SIGMOID,
          ERF,
          SQRT,
          RSQRT,
          RECIPROCAL,
          RELU,
          POW,
          LT,
          LE,
          EQ,
          NE,
          SELECT,
          CLAMP ->
          code.call(ScalarMath.class, name, types);
    }
    return keep(compute);
  }

  @Override
  public void store(Value value, Place place) {
    DType natural = natural(place.dtype());
    pushAddress(place);
    code.load(value.number());
    cast(value.compute(), natural);
    code.call(NativeMemory.class, place.dtype().label(), long.class, primitive(natural));
  }

  @Override
  public Slot neutral(Region.Kind kind, DType compute) {
    switch (kind) {
      case SUM -> push(0, compute);
      case MAX -> push(compute == I32 ? Integer.MIN_VALUE : Double.NEGATIVE_INFINITY, compute);
      case MIN -> push(compute == I32 ? Integer.MAX_VALUE : Double.POSITIVE_INFINITY, compute);
    }
    return code.keep(primitive(compute));
  }

  @Override
  public void accumulate(Region.Kind kind, Slot accumulator, Value value, int count) {
    code.load(accumulator);
    code.load(value.number());
    combine(kind, value.compute());
    code.store(accumulator);
  }

  @Override
  public void finish(Reduced reduced, Slot accumulator, Place place) {
    Value result = new Value(reduced.compute(), accumulator);
    if (reduced.target() == Target.PARTIAL) {
      code.load(load(place, reduced.compute()).number());
      code.load(accumulator);
      combine(reduced.kind(), reduced.compute());
      result = keep(reduced.compute());
    }
    store(result, place);
  }

  @Override
  public void finishLanes(Reduced reduced, List<Slot> accumulators, Place place) {
    finish(reduced, accumulators.get(0), place);
  }

  /** Combines the two numbers on the stack. */
  private void combine(Region.Kind kind, DType compute) {
    Class<?> type = primitive(compute);
    switch (kind) {
      case SUM -> code.op(opcode(Opcodes.IADD, compute));
      case MAX -> code.call(Math.class, "max", type, type);
      case MIN -> code.call(Math.class, "min", type, type);
    }
  }

  private void pushAddress(Place place) {
    code.load(place.pointer());
    if (place.offset() != 0) {
      code.push(place.offset());
      code.op(Opcodes.LADD);
    }
  }

  private Value keep(DType compute) {
    return new Value(compute, code.keep(primitive(compute)));
  }

  /** Converts the number on the stack; Java's casts truncate, saturate and turn NaN into 0. */
  private void cast(DType from, DType to) {
    if (from == to) {
      return;
    }
    code.op(
        switch (from) {
          case F32 -> to == F64 ? Opcodes.F2D : Opcodes.F2I;
          case F64 -> to == F32 ? Opcodes.D2F : Opcodes.D2I;
          case I32 -> to == F32 ? Opcodes.I2F : Opcodes.I2D;
          case BF16, U8 -> throw new IllegalArgumentException("nothing is computed in " + from);
        });
  }

  /** The type in which memory access hands over an element. */
  private static DType natural(DType stored) {
    return switch (stored) {
      case F32, BF16 -> F32;
      case F64 -> F64;
      case I32, U8 -> I32;
    };
  }

  private static Class<?> primitive(DType compute) {
    return compute == F32 ? float.class : compute == F64 ? double.class : int.class;
  }

  /** The variant for a type of an instruction whose int form is given. */
  private static int opcode(int intOpcode, DType compute) {
    // The JVM numbers the forms of arithmetic instructions: int, long, float, double.
    return intOpcode + (compute == I32 ? 0 : compute == F32 ? 2 : 3);
  }
}
