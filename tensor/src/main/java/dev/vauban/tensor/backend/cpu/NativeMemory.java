package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;

import java.lang.foreign.ValueLayout;

/** Elements of each type at absolute addresses, as emitted code calls for them. */
final class NativeMemory {
  private NativeMemory() {}

  static float f32(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  static double f64(long address) {
    return ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
  }

  static int i32(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  static float bf16(long address) {
    return Float.intBitsToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address) << 16);
  }

  static int u8(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address) & 0xff;
  }

  static void f32(long address, float value) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  static void f64(long address, double value) {
    ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, value);
  }

  static void i32(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  /** Rounds to nearest, ties to even; NaN stays NaN. */
  static void bf16(long address, float value) {
    int bits = Float.floatToRawIntBits(value);
    int rounded = value != value ? bits | 0x400000 : bits + 0x7fff + (bits >>> 16 & 1);
    ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, (short) (rounded >>> 16));
  }

  /** Limits to [0, 255]. */
  static void u8(long address, int value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, (byte) Math.max(0, Math.min(255, value)));
  }
}
