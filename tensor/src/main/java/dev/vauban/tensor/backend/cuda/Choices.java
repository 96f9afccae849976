package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import java.util.Locale;

/**
 * What programs are compiled with.
 *
 * @param precision of products of F32 operands
 * @param library whether contractions may go to cuBLASLt
 * @param tensorCores whether the card multiplies BF16 in tensor cores (compute capability 8.0)
 */
record Choices(Precision precision, boolean library, boolean tensorCores) {
  /** Of products of F32 operands. */
  enum Precision {
    /** All 24 bits, on ordinary arithmetic. */
    F32,
    /** Operands rounded to 11 bits, on tensor cores. */
    TF32
  }

  /** The system property: {@code on} or {@code off} (the default). */
  static final String PROPERTY = "vauban.tf32";

  /** The environment variable that holds where the property is not set. */
  static final String VARIABLE = "VAUBAN_TF32";

  /**
   * What the property says now, or else the variable, or else F32.
   *
   * @throws IllegalArgumentException if it is neither on nor off
   */
  static Precision read() {
    return parse(System.getProperty(PROPERTY, System.getenv(VARIABLE)));
  }

  /** Reads a choice; nothing or blank means F32. */
  static Precision parse(String value) {
    return switch (value == null ? "" : value.strip().toLowerCase(Locale.ROOT)) {
      case "", "off" -> Precision.F32;
      case "on" -> Precision.TF32;
      default ->
          throw new IllegalArgumentException(PROPERTY + " is " + value + "; it must be on or off");
    };
  }

  /** These choices with own kernels for contractions. */
  Choices withoutLibrary() {
    return new Choices(precision, false, tensorCores);
  }

  /** What multiplies operands of a type. */
  Products.Unit unit(DType operands) {
    return switch (operands) {
      case BF16 -> tensorCores ? Products.Unit.BF16 : Products.Unit.THREADS;
      case F32 ->
          tensorCores && precision == Precision.TF32 ? Products.Unit.TF32 : Products.Unit.THREADS;
      case F64, I32, U8 -> Products.Unit.THREADS;
    };
  }
}
