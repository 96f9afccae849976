package dev.vauban.tensor.backend.cpu.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.LongVector;

/**
 * The whole address space as one segment, so that kernels work on plain addresses: an absolute
 * address is the offset. One constant segment keeps every access monomorphic and free of liveness
 * checks. Nothing here guards an address: kernels validate their shapes once, when constructed, and
 * callers own the memory for as long as a kernel runs.
 */
public final class Memory {
  /** All of native memory; index it with absolute addresses. */
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final int BULK = 1024; // bytes above which the JVM's own copy loop wins

  private Memory() {}

  static float getFloat(long address) {
    return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
  }

  static void setFloat(long address, float value) {
    ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
  }

  static int getInt(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  static void setInt(long address, int value) {
    ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
  }

  static long getLong(long address) {
    return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
  }

  static void setLong(long address, long value) {
    ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
  }

  static short getShort(long address) {
    return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
  }

  static void setShort(long address, short value) {
    ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
  }

  static byte getByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  static void setByte(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  /** Rounds {@code bytes} up to whole cache lines, so that parts of one scratch stay aligned. */
  static long align(long bytes) {
    return (bytes + 63) & -64;
  }

  /** Copies {@code bytes} bytes between areas that do not overlap. */
  static void copy(long src, long dst, long bytes) {
    if (bytes >= BULK) {
      MemorySegment.copy(ALL, src, ALL, dst, bytes);
      return;
    }
    if (bytes >= Species.BYTES) {
      for (long i = 0; i < bytes; i += Species.BYTES) {
        long at = Math.min(i, bytes - Species.BYTES); // the last one overlaps the one before
        LongVector.fromMemorySegment(Species.I64, ALL, src + at, Species.ORDER)
            .intoMemorySegment(ALL, dst + at, Species.ORDER);
      }
      return;
    }
    long i = 0;
    for (; i <= bytes - Long.BYTES; i += Long.BYTES) {
      setLong(dst + i, getLong(src + i));
    }
    if ((bytes & 4) != 0) {
      setInt(dst + i, getInt(src + i));
      i += 4;
    }
    if ((bytes & 2) != 0) {
      setShort(dst + i, getShort(src + i));
      i += 2;
    }
    if ((bytes & 1) != 0) {
      setByte(dst + i, getByte(src + i));
    }
  }

  /** Sets {@code bytes} bytes to zero. */
  static void zero(long dst, long bytes) {
    fill(dst, bytes, 0);
  }

  /** Fills {@code bytes} bytes with the repeated 8-byte {@code pattern}. */
  static void fill(long dst, long bytes, long pattern) {
    long i = 0;
    LongVector v = LongVector.broadcast(Species.I64, pattern);
    for (; i <= bytes - Species.BYTES; i += Species.BYTES) {
      v.intoMemorySegment(ALL, dst + i, Species.ORDER);
    }
    for (; i <= bytes - Long.BYTES; i += Long.BYTES) {
      setLong(dst + i, pattern);
    }
    for (; i < bytes; i++) {
      setByte(dst + i, (byte) (pattern >>> (8 * (i & 7))));
    }
  }
}
