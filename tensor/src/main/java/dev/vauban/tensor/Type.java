package dev.vauban.tensor;

/**
 * What is known of an array before it exists: element type and shape. Prints as {@code
 * f32[64,784]}.
 *
 * @param dtype the element type
 * @param shape the dimensions
 */
public record Type(DType dtype, Shape shape) {
  /** An array of {@code F32} with these dimensions. */
  public static Type f32(int... dims) {
    return new Type(DType.F32, Shape.of(dims));
  }

  /** An array of {@code I32} with these dimensions. */
  public static Type i32(int... dims) {
    return new Type(DType.I32, Shape.of(dims));
  }

  /** An array of {@code U8} with these dimensions. */
  public static Type u8(int... dims) {
    return new Type(DType.U8, Shape.of(dims));
  }

  /** An array of {@code dtype} with these dimensions. */
  public static Type of(DType dtype, int... dims) {
    return new Type(dtype, Shape.of(dims));
  }

  /** This type with another shape. */
  public Type with(Shape shape) {
    return new Type(dtype, shape);
  }

  /** This type with another element type. */
  public Type with(DType dtype) {
    return new Type(dtype, shape);
  }

  /** Bytes of a contiguous array of this type. */
  public long bytes() {
    return shape.size() * dtype.bytes();
  }

  @Override
  public String toString() {
    return dtype.label() + shape;
  }
}
