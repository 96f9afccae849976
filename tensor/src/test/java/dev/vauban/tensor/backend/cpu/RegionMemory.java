package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Native memory of one array of a region, with guard zones around it. */
final class RegionMemory {
  private static final long GUARD = 256;

  private final DType dtype;
  private final MemorySegment segment;
  private final long firstPoint;

  /**
   * @param misalignment elements by which the first point is moved off a 64-byte boundary
   */
  RegionMemory(Arena arena, DType dtype, List<Integer> dims, List<Long> strides, int misalignment) {
    this.dtype = dtype;
    long low = 0;
    long high = 0;
    for (int d = 0; d < dims.size(); d++) {
      long far = (dims.get(d) - 1) * strides.get(d);
      low += Math.min(0, far);
      high += Math.max(0, far);
    }
    long bytes = (high - low + 1 + misalignment) * dtype.bytes() + 2 * GUARD;
    this.segment = arena.allocate(bytes, 64);
    this.firstPoint = GUARD + (misalignment - low) * dtype.bytes();
  }

  /** Address of the first point. */
  long address() {
    return segment.address() + firstPoint;
  }

  DType dtype() {
    return dtype;
  }

  byte[] bytes() {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Index into {@link #bytes} of an element. */
  long position(long offset) {
    return firstPoint + offset * dtype.bytes();
  }

  long elements() {
    return (segment.byteSize() - 2 * GUARD) / dtype.bytes();
  }

  /** Fills all of it, guards included, with bytes that read as NaN. */
  void poison() {
    segment.fill((byte) 0xff);
  }

  double get(long offset) {
    return read(segment, dtype, position(offset));
  }

  /** Writes element number {@code n} in memory order. */
  void setInOrder(long n, double value) {
    write(segment, dtype, GUARD + n * dtype.bytes(), value);
  }

  static double read(MemorySegment segment, DType dtype, long at) {
    return switch (dtype) {
      case F32 -> segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      case F64 -> segment.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at);
      case I32 -> segment.get(ValueLayout.JAVA_INT_UNALIGNED, at);
      case U8 -> segment.get(ValueLayout.JAVA_BYTE, at) & 0xff;
      case BF16 -> Float.intBitsToFloat(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, at) << 16);
    };
  }

  /** Stores as the region's definition says: nearest even for bf16, limits for u8. */
  static void write(MemorySegment segment, DType dtype, long at, double value) {
    switch (dtype) {
      case F32 -> segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) value);
      case F64 -> segment.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, value);
      case I32 -> segment.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
      case U8 ->
          segment.set(ValueLayout.JAVA_BYTE, at, (byte) Math.max(0, Math.min(255, (int) value)));
      case BF16 ->
          segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (toBf16((float) value) >>> 16));
    }
  }

  /** The nearest of the two bf16 neighbours; the even one of two that are equally near. */
  private static int toBf16(float value) {
    int down = Float.floatToRawIntBits(value) & 0xffff0000;
    if (Float.isNaN(value)) {
      return 0x7fc00000;
    }
    if (Float.isInfinite(value)) {
      return down;
    }
    int up = down + 0x10000;
    double below = Math.abs((double) value - Float.intBitsToFloat(down));
    double upper =
        Float.isInfinite(Float.intBitsToFloat(up))
            ? Math.copySign(0x1p128, value)
            : Float.intBitsToFloat(up);
    double above = Math.abs(upper - value);
    boolean isEven = (down >>> 16 & 1) == 0;
    return below < above || below == above && isEven ? down : up;
  }
}
