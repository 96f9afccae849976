package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.onednn.OneDnn;
import java.util.Locale;

/**
 * How products of BF16 operands are computed. Both ways sum up the same exact products in F32, in
 * another order.
 */
enum Bf16Choice {
  /** By oneDNN's primitives for BF16, where it has one for the shapes. */
  PRIMITIVES,
  /** By the kernels for F32, on operands widened to F32. */
  WIDENED;

  /** The system property: {@code auto} (the default), {@code primitives} or {@code widened}. */
  static final String PROPERTY = "vauban.bf16";

  /** The environment variable that holds where the property is not set. */
  static final String VARIABLE = "VAUBAN_BF16";

  /**
   * What the property says now, or else the variable, or else what is quicker on this processor.
   *
   * @throws IllegalArgumentException if it is none of the three
   */
  static Bf16Choice read() {
    return parse(System.getProperty(PROPERTY, System.getenv(VARIABLE)), OneDnn.status().isa());
  }

  /**
   * Reads a choice; nothing or blank means auto, which is the primitives where the processor has
   * tiles for matrices (AMX). Measured there: 8 to 10 times the speed of F32. Without them BF16
   * instructions give at most twice the speed, and Winograd's tiles in F32 give more
   * (docs/performance.md).
   *
   * @param isa the instruction set in oneDNN's words, such as {@code avx512_core_amx}
   */
  static Bf16Choice parse(String value, String isa) {
    return switch (value == null ? "" : value.strip().toLowerCase(Locale.ROOT)) {
      case "", "auto" -> isa.contains("amx") ? PRIMITIVES : WIDENED;
      case "primitives" -> PRIMITIVES;
      case "widened" -> WIDENED;
      default ->
          throw new IllegalArgumentException(
              PROPERTY + " is " + value + "; it must be auto, primitives or widened");
    };
  }
}
