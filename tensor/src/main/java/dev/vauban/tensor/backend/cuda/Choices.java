package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import java.util.Locale;

/**
 * What programs are compiled with.
 *
 * @param settings what was asked for
 * @param library whether contractions may go to cuBLASLt
 * @param tensorCores whether the card multiplies BF16 in tensor cores (compute capability 8.0)
 * @param ways of convolutions, asked where the settings leave it open
 */
record Choices(Settings settings, boolean library, boolean tensorCores, Ways ways) {
  /** Of products of F32 operands. */
  enum Precision {
    /** All 24 bits, on ordinary arithmetic. */
    F32,
    /** Operands rounded to 11 bits, on tensor cores. */
    TF32
  }

  /** How convolutions are computed. */
  enum Convolution {
    /** Each the way that was quicker when it was measured on the card. */
    MEASURED,
    /** All by kernels that look their factors up in the images. */
    IMPLICIT,
    /** All by stored patches, unless these are larger than {@link Im2col#MOST_BYTES}. */
    PATCHES
  }

  /** What users ask for. */
  record Settings(Precision precision, Convolution convolution) {
    /** Where nobody asks. */
    static final Settings DEFAULT = new Settings(Precision.F32, Convolution.MEASURED);

    /**
     * What the properties say now, or else the variables, or else the defaults.
     *
     * @throws IllegalArgumentException if one is none of its values
     */
    static Settings read() {
      return new Settings(
          Choices.precision(System.getProperty(PROPERTY, System.getenv(VARIABLE))),
          Choices.convolution(
              System.getProperty(CONVOLUTIONS_PROPERTY, System.getenv(CONVOLUTIONS_VARIABLE))));
    }

    Settings with(Precision other) {
      return new Settings(other, convolution);
    }

    Settings with(Convolution other) {
      return new Settings(precision, other);
    }
  }

  /** The system property: {@code on} or {@code off} (the default). */
  static final String PROPERTY = "vauban.tf32";

  /** The environment variable that holds where the property is not set. */
  static final String VARIABLE = "VAUBAN_TF32";

  /** The system property: {@code implicit}, {@code patches} or {@code measured} (the default). */
  static final String CONVOLUTIONS_PROPERTY = "vauban.convolutions";

  /** The environment variable that holds where the property is not set. */
  static final String CONVOLUTIONS_VARIABLE = "VAUBAN_CONVOLUTIONS";

  /** The default settings; convolutions by implicit products. */
  Choices(Precision precision, boolean library, boolean tensorCores) {
    this(Settings.DEFAULT.with(precision), library, tensorCores, Ways.IMPLICIT);
  }

  private static String plain(String value) {
    return value == null ? "" : value.strip().toLowerCase(Locale.ROOT);
  }

  /** Reads a precision; nothing or blank means F32. */
  static Precision precision(String value) {
    return switch (plain(value)) {
      case "", "off" -> Precision.F32;
      case "on" -> Precision.TF32;
      default ->
          throw new IllegalArgumentException(PROPERTY + " is " + value + "; it must be on or off");
    };
  }

  /** Reads a way of convolutions; nothing or blank means that they are measured. */
  static Convolution convolution(String value) {
    return switch (plain(value)) {
      case "", "measured" -> Convolution.MEASURED;
      case "implicit" -> Convolution.IMPLICIT;
      case "patches" -> Convolution.PATCHES;
      default ->
          throw new IllegalArgumentException(
              CONVOLUTIONS_PROPERTY
                  + " is "
                  + value
                  + "; it must be measured, implicit or patches");
    };
  }

  /** These choices with own kernels for contractions. */
  Choices withoutLibrary() {
    return new Choices(settings, false, tensorCores, ways);
  }

  /** These choices with convolutions' ways from there. */
  Choices with(Ways other) {
    return new Choices(settings, library, tensorCores, other);
  }

  /** What multiplies operands of a type. */
  Products.Unit unit(DType operands) {
    return switch (operands) {
      case BF16 -> tensorCores ? Products.Unit.BF16 : Products.Unit.THREADS;
      case F32 ->
          tensorCores && settings.precision() == Precision.TF32
              ? Products.Unit.TF32
              : Products.Unit.THREADS;
      case F64, I32, U8 -> Products.Unit.THREADS;
    };
  }
}
