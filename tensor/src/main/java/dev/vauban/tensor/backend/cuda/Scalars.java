package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import java.util.List;
import java.util.Locale;

/** Numbers in C: types, constants, conversions, functions. */
final class Scalars {
  private Scalars() {}

  /** The C type of an element in memory. */
  static String memory(DType t) {
    return switch (t) {
      case F32 -> "float";
      case BF16 -> "v_bf16";
      case F64 -> "double";
      case I32 -> "int";
      case U8 -> "v_u8";
    };
  }

  /** The C type of four elements in memory. */
  static String four(DType t) {
    return "v_" + t.label() + "x4";
  }

  /** The type in which elements of a type are computed. */
  static DType compute(DType t) {
    return switch (t) {
      case F32, BF16, U8 -> DType.F32;
      case F64 -> DType.F64;
      case I32 -> DType.I32;
    };
  }

  private static String suffix(DType compute) {
    return switch (compute) {
      case F32 -> "f";
      case F64 -> "d";
      case I32 -> "i";
      case BF16, U8 -> throw new IllegalArgumentException(compute + " values are computed in F32");
    };
  }

  /** An element of memory, as a value of type {@code compute}. */
  static String load(DType from, DType compute, String element) {
    String value =
        switch (from) {
          case F32, F64, I32 -> element;
          case BF16 -> "v_from_bf16(" + element + ")";
          case U8 -> "(float)" + element;
        };
    return convert(compute(from), compute, value);
  }

  /** A value in another type of values. */
  static String convert(DType from, DType to, String value) {
    if (from == to) {
      return value;
    }
    return switch (to) {
      case F32 -> "(float)(" + value + ")";
      case F64 -> "(double)(" + value + ")";
      case I32 -> "v_" + suffix(from) + "_to_i(" + value + ")";
      case BF16, U8 -> throw new IllegalArgumentException(to + " values are computed in F32");
    };
  }

  /** A value as an element of memory. */
  static String store(DType compute, DType to, String value) {
    return switch (to) {
      case F32, F64, I32 -> convert(compute, to, value);
      case BF16 -> "v_to_bf16(" + convert(compute, DType.F32, value) + ")";
      case U8 -> "v_i_to_u8(" + convert(compute, DType.I32, value) + ")";
    };
  }

  /** {@code a * b + c}, rounded once on the card. */
  static String multiplyAdd(DType compute, String a, String b, String c) {
    return "v_fma_%s(%s, %s, %s)".formatted(suffix(compute), a, b, c);
  }

  /** A constant. */
  static String constant(double value, DType compute) {
    return switch (compute) {
      case I32 -> (int) value == Integer.MIN_VALUE ? "(-2147483647 - 1)" : "(" + (int) value + ")";
      case F64 ->
          Double.isNaN(value)
              ? "((double)V_NAN)"
              : Double.isInfinite(value)
                  ? value > 0 ? "((double)V_INF)" : "(-(double)V_INF)"
                  : "(" + value + ")";
      case F32 -> {
        float f = (float) value;
        yield Float.isNaN(f)
            ? "V_NAN"
            : Float.isInfinite(f) ? f > 0 ? "V_INF" : "(-V_INF)" : "(" + f + "f)";
      }
      case BF16, U8 -> throw new IllegalArgumentException(compute + " values are computed in F32");
    };
  }

  /** The smallest and the largest value, which any other beats as a maximum or minimum. */
  static String lowest(DType compute) {
    return compute == DType.I32
        ? constant(Integer.MIN_VALUE, compute)
        : constant(Double.NEGATIVE_INFINITY, compute);
  }

  /** See {@link #lowest}. */
  static String highest(DType compute) {
    return compute == DType.I32
        ? constant(Integer.MAX_VALUE, compute)
        : constant(Double.POSITIVE_INFINITY, compute);
  }

  /** A function of values of one type: the prelude has one for each constant and type. */
  static String apply(ScalarFn fn, DType compute, List<String> args) {
    return switch (fn) {
      case NEG,
          ABS,
          SIGN,
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
          ADD,
          SUB,
          MUL,
          DIV,
          POW,
          MIN,
          MAX,
          LT,
          LE,
          EQ,
          NE,
          SELECT,
          CLAMP ->
          "v_%s_%s(%s)"
              .formatted(
                  fn.name().toLowerCase(Locale.ROOT), suffix(compute), String.join(", ", args));
    };
  }

  /** The order of a value as an unsigned 64-bit integer. */
  static String order(DType compute, String value) {
    return "v_order_" + suffix(compute) + "(" + value + ")";
  }
}
