package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cpu.kernels.Memory;
import java.lang.foreign.ValueLayout;

/** Single elements of each type in native memory, as doubles. */
enum Elements {
  F32 {
    @Override
    double get(long address) {
      return Memory.ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    @Override
    void set(long address, double value) {
      Memory.ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, (float) value);
    }
  },
  BF16 {
    @Override
    double get(long address) {
      int bits = Memory.ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address) << 16;
      return Float.intBitsToFloat(bits);
    }

    @Override
    void set(long address, double value) {
      int bits = Float.floatToRawIntBits((float) value);
      int rounded =
          Double.isNaN(value) ? (bits >>> 16) | 0x40 : (bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16;
      Memory.ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, (short) rounded);
    }
  },
  F64 {
    @Override
    double get(long address) {
      return Memory.ALL.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, address);
    }

    @Override
    void set(long address, double value) {
      Memory.ALL.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, address, value);
    }
  },
  I32 {
    @Override
    double get(long address) {
      return Memory.ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
    }

    @Override
    void set(long address, double value) {
      Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, (int) value);
    }
  },
  U8 {
    @Override
    double get(long address) {
      return Memory.ALL.get(ValueLayout.JAVA_BYTE, address) & 0xFF;
    }

    @Override
    void set(long address, double value) {
      Memory.ALL.set(
          ValueLayout.JAVA_BYTE, address, (byte) Math.max(0, Math.min(255, (int) value)));
    }
  };

  static Elements of(DType type) {
    return valueOf(type.name());
  }

  /** The element at an address. */
  abstract double get(long address);

  /** Stores an element: rounded to nearest even, truncated and saturated for integers. */
  abstract void set(long address, double value);
}
