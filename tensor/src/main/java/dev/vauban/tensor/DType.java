package dev.vauban.tensor;

/**
 * Element types. {@code F32}, {@code BF16} and {@code F64} are storage precisions of real numbers;
 * {@code I32} holds indices, labels and random bits; {@code U8} holds image bytes and window
 * offsets.
 */
public enum DType {
  F32("f32", 4),
  BF16("bf16", 2),
  F64("f64", 8),
  I32("i32", 4),
  U8("u8", 1);

  private final String label;
  private final int bytes;

  DType(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /** The short name used in printed types, for example {@code f32}. */
  public String label() {
    return label;
  }

  /** Size of one element in bytes. */
  public int bytes() {
    return bytes;
  }

  /** The type in which sums of products of this type are given: F32 for BF16, else this one. */
  public DType sums() {
    return this == BF16 ? F32 : this;
  }

  /** True for {@code F32}, {@code BF16} and {@code F64}. */
  public boolean isFloat() {
    return this == F32 || this == BF16 || this == F64;
  }
}
