package dev.vauban.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Data: an off-heap array, contiguous and row-major, with an element type and a shape. It has no
 * arithmetic; plans compute. Its memory belongs to a {@link Scope}.
 */
public final class Tensor {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Scope scope;
  private final Type type;
  private final MemorySegment segment;

  Tensor(Scope scope, Type type, MemorySegment segment) {
    this.scope = scope;
    this.type = type;
    this.segment = segment;
  }

  /**
   * A tensor over memory that exists: a mapped file or a block of decoded images. Nothing is
   * copied. Once the memory's arena is closed, using the tensor is a {@link ClosedException}; an
   * arena must not be closed by another thread while a plan runs on the tensor.
   *
   * @throws ShapeException if the segment's size is not the type's
   * @throws IllegalArgumentException if the segment lies on the heap
   * @throws ClosedException if the scope or the segment's arena is closed
   */
  public static Tensor over(Scope scope, Type type, MemorySegment segment) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("a tensor's memory is off-heap; copy heap arrays");
    }
    if (segment.byteSize() != type.bytes()) {
      throw new ShapeException(
          type + " needs " + type.bytes() + " bytes, the segment has " + segment.byteSize());
    }
    Tensor t = new Tensor(scope, type, segment);
    t.segment();
    return t;
  }

  /** Element type and shape. */
  public Type type() {
    return type;
  }

  /** The shape. */
  public Shape shape() {
    return type.shape();
  }

  /**
   * The memory.
   *
   * @throws ClosedException if the scope is closed, or the memory that the tensor was laid over
   */
  public MemorySegment segment() {
    scope.check();
    // The scope's own memory goes with the scope; memory given to `over` has an arena of its own,
    // and plans pass plain addresses to kernels, which nothing checks any more.
    if (!segment.scope().isAlive()) {
      throw new ClosedException(
          "the memory of a tensor "
              + type
              + " was released by its owner; keep the data set or arena that it shares open as long"
              + " as it is used");
    }
    return segment;
  }

  /** Number of elements. */
  public long size() {
    return type.shape().size();
  }

  /** Element {@code i} in row-major order, converted to double; U8 counts 0 to 255. */
  public double get(long i) {
    MemorySegment s = segment();
    return switch (type.dtype()) {
      case F32 -> s.get(FLOAT, i * 4);
      case F64 -> s.get(DOUBLE, i * 8);
      case I32 -> s.get(INT, i * 4);
      case BF16 -> Float.intBitsToFloat(s.get(SHORT, i * 2) << 16);
      case U8 -> s.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
    };
  }

  /** Sets element {@code i}: rounded to nearest even, or truncated and saturated for integers. */
  public void set(long i, double value) {
    MemorySegment s = segment();
    switch (type.dtype()) {
      case F32 -> s.set(FLOAT, i * 4, (float) value);
      case F64 -> s.set(DOUBLE, i * 8, value);
      case I32 -> s.set(INT, i * 4, (int) value);
      case BF16 -> s.set(SHORT, i * 2, bf16((float) value));
      case U8 -> s.set(ValueLayout.JAVA_BYTE, i, (byte) Math.max(0, Math.min(255, (int) value)));
    }
  }

  /** The upper half of a float, rounded to nearest even. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Sets every element; returns this. */
  public Tensor set(double... values) {
    count(values.length);
    for (int i = 0; i < values.length; i++) {
      set(i, values[i]);
    }
    return this;
  }

  /** Sets every element; returns this. */
  public Tensor set(float... values) {
    count(values.length);
    for (int i = 0; i < values.length; i++) {
      set(i, values[i]);
    }
    return this;
  }

  /** Sets every element; returns this. */
  public Tensor set(int... values) {
    count(values.length);
    for (int i = 0; i < values.length; i++) {
      set(i, values[i]);
    }
    return this;
  }

  private void count(int n) {
    if (n != size()) {
      throw new ShapeException(type + " needs " + size() + " values, not " + n);
    }
  }

  /** Copies all elements of a tensor of the same type; returns this. */
  public Tensor copyFrom(Tensor other) {
    if (!type.equals(other.type)) {
      throw new ShapeException("cannot copy " + other.type + " into " + type);
    }
    segment().copyFrom(other.segment());
    return this;
  }

  /** All elements as doubles. */
  public double[] toDoubles() {
    double[] out = new double[Math.toIntExact(size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = get(i);
    }
    return out;
  }

  /** All elements as floats. */
  public float[] toFloats() {
    float[] out = new float[Math.toIntExact(size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) get(i);
    }
    return out;
  }

  /** All elements of an I32 or U8 tensor. */
  public int[] toInts() {
    int[] out = new int[Math.toIntExact(size())];
    for (int i = 0; i < out.length; i++) {
      out[i] = (int) get(i);
    }
    return out;
  }

  /** The type, and the values of small tensors. */
  @Override
  public String toString() {
    return size() <= 8 && scope.isOpen() && segment.scope().isAlive()
        ? type + " " + java.util.Arrays.toString(toDoubles())
        : type.toString();
  }
}
