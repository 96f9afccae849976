package dev.vauban.natives.onednn;

import dev.vauban.natives.onednn.generated.Dnnl;

/** An element type of a primitive's operand. Sums are accumulated in f32 in either case. */
public enum DataType {
  /** IEEE 754 single precision. */
  F32(4),
  /** The upper half of an f32: 8 bits of exponent, 7 of fraction. */
  BF16(2);

  private final int bytes;

  DataType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /** oneDNN's number for the type. */
  int code() {
    return switch (this) {
      case F32 -> Dnnl.dnnl_f32();
      case BF16 -> Dnnl.dnnl_bf16();
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
