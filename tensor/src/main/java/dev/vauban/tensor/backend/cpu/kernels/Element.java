package dev.vauban.tensor.backend.cpu.kernels;

/** Element types that can be ordered. */
public enum Element {
  /** 32-bit float. */
  F32(4),
  /** 32-bit signed integer. */
  I32(4),
  /** 8-bit unsigned integer. */
  U8(1);

  private final int bytes;

  Element(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /**
   * The element at {@code address} as an integer of the same order. Zeros of both signs are equal;
   * every NaN is the same and above all numbers.
   */
  int key(long address) {
    return switch (this) {
      case I32 -> Memory.getInt(address);
      case U8 -> Memory.getByte(address) & 0xFF;
      case F32 -> {
        float v = Memory.getFloat(address);
        int bits = v != v ? 0x7FC00000 : Float.floatToRawIntBits(v + 0f); // -0 + 0 is +0
        // Negative floats are ordered backwards by their bits.
        yield bits ^ ((bits >> 31) & 0x7FFFFFFF);
      }
    };
  }
}
