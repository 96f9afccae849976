package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.backend.cpu.kernels.ConvShape;
import dev.vauban.tensor.backend.cpu.kernels.Winograd;
import java.util.Locale;

/**
 * Which kernels compute products of BF16 operands: oneDNN's for BF16, or those for F32 on operands
 * widened to F32. Both sum up the same exact products in F32, in another order.
 */
enum Bf16Choice {
  /** Always oneDNN's, where it has one for the shapes. */
  PRIMITIVES,
  /**
   * What is quicker with BF16 instructions for vectors, at twice the rate of F32. Where that is a
   * kernel for F32, a program that is compiled in BF16 does not round: its bits would be lost for
   * nothing.
   */
  MIXED,
  /** Always those for F32. */
  WIDENED;

  /** The system property: {@code auto} (the default) or one of the three. */
  static final String PROPERTY = "vauban.bf16";

  /** The environment variable that holds where the property is not set. */
  static final String VARIABLE = "VAUBAN_BF16";

  private static final int SIDE =
      6; // rows and columns of results from which Winograd's tiles win or tie
  private static final int PIXELS = 16; // of a result, from which oneDNN's kernel gradient wins

  /**
   * What the property says now, or else the variable, or else what suits the processor.
   *
   * @throws IllegalArgumentException if it is neither auto nor one of the three
   */
  static Bf16Choice read() {
    return parse(System.getProperty(PROPERTY, System.getenv(VARIABLE)), OneDnn.status().isa());
  }

  /**
   * Reads a choice; nothing or blank means auto: the primitives where the processor multiplies
   * matrices (AMX), a mixture where it has BF16 instructions for vectors, else F32. The figures
   * behind it are in {@code docs/performance.md}.
   *
   * @param isa the instruction set in oneDNN's words, such as {@code avx512_core_amx}
   */
  static Bf16Choice parse(String value, String isa) {
    return switch (value == null ? "" : value.strip().toLowerCase(Locale.ROOT)) {
      case "", "auto" ->
          isa.contains("amx") ? PRIMITIVES : isa.equals("avx512_core_bf16") ? MIXED : WIDENED;
      case "primitives" -> PRIMITIVES;
      case "mixed" -> MIXED;
      case "widened" -> WIDENED;
      default ->
          throw new IllegalArgumentException(
              PROPERTY + " is " + value + "; it must be auto, primitives, mixed or widened");
    };
  }

  /** Whether matrix products go by oneDNN's primitive. */
  boolean primitive() {
    return this != WIDENED;
  }

  /**
   * Whether a convolution or a gradient of one goes by oneDNN's primitive.
   *
   * @param tiles whether Winograd's tiles may be used instead
   */
  boolean primitive(ConvOp op, ConvShape s, boolean tiles) {
    int height = s.outputHeight();
    int width = s.outputWidth();
    boolean winograd = tiles && Winograd.pays(s);
    return switch (this) {
      case PRIMITIVES -> true;
      case WIDENED -> false;
      case MIXED ->
          op instanceof ConvOp.KernelGradient
              ? !winograd && height * width >= PIXELS
              : !winograd || Math.min(height, width) < SIDE;
    };
  }
}
