package dev.vauban.natives.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Native memory of a test, with guard bytes behind it that no kernel may touch. */
record Operand(DataType type, int size, MemorySegment memory) {
  private static final int GUARD = 256;
  private static final byte MARK = (byte) 0xA5;

  static Operand of(Arena arena, DataType type, long size) {
    long bytes = size * type.bytes();
    MemorySegment memory = arena.allocate(bytes + GUARD, 64);
    memory.fill(MARK);
    return new Operand(type, (int) size, memory);
  }

  /** Holds {@code values}, and rounds them in place to what it holds. */
  static Operand of(Arena arena, DataType type, double[] values) {
    Operand operand = of(arena, type, values.length);
    for (int i = 0; i < values.length; i++) {
      operand.set(i, values[i]);
      values[i] = operand.get(i);
    }
    return operand;
  }

  long address() {
    return memory.address();
  }

  void set(int i, double value) {
    float f = (float) value;
    switch (type) {
      case F32 -> memory.set(ValueLayout.JAVA_FLOAT, 4L * i, f);
      case BF16 -> {
        int bits = Float.floatToRawIntBits(f);
        int rounded = bits + 0x7FFF + ((bits >>> 16) & 1);
        memory.set(ValueLayout.JAVA_SHORT, 2L * i, (short) (rounded >>> 16));
      }
    }
  }

  double get(int i) {
    return switch (type) {
      case F32 -> memory.get(ValueLayout.JAVA_FLOAT, 4L * i);
      case BF16 -> Float.intBitsToFloat(memory.get(ValueLayout.JAVA_SHORT, 2L * i) << 16);
    };
  }

  double[] values() {
    double[] values = new double[size];
    for (int i = 0; i < size; i++) {
      values[i] = get(i);
    }
    return values;
  }

  byte[] bits() {
    return memory.asSlice(0, (long) size * type.bytes()).toArray(ValueLayout.JAVA_BYTE);
  }

  boolean guardIntact() {
    for (long i = (long) size * type.bytes(); i < memory.byteSize(); i++) {
      if (memory.get(ValueLayout.JAVA_BYTE, i) != MARK) {
        return false;
      }
    }
    return true;
  }
}
