package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.SplittableRandom;

/**
 * Native memory for a test: everything starts as NaN, a guard zone lies on both sides, and the
 * address is a multiple of 4 but not of 8, so that a kernel that reads what it did not write,
 * writes outside or assumes alignment is found out.
 */
final class Area {
  private static final int POISON = 0x7FC0BEEF; // a quiet NaN
  private static final int GUARD = 512;

  // A kernel sees only the address: without this the collector could free an area in use.
  private static final ArrayDeque<Area> RECENT = new ArrayDeque<>();

  final long address;
  private final MemorySegment all;
  private final long bytes;

  Area(long bytes) {
    this.bytes = bytes;
    long padded = (bytes + 3) / 4 * 4;
    all = Arena.ofAuto().allocate(padded + 2 * GUARD + 4, 64);
    for (long i = 0; i < all.byteSize(); i += 4) {
      all.set(ValueLayout.JAVA_INT_UNALIGNED, i, POISON);
    }
    address = all.address() + GUARD + 4;
    RECENT.addLast(this);
    if (RECENT.size() > 32) {
      RECENT.removeFirst();
    }
  }

  static Area of(float... values) {
    Area a = new Area(4L * values.length);
    MemorySegment.copy(
        values, 0, a.all, ValueLayout.JAVA_FLOAT_UNALIGNED, GUARD + 4, values.length);
    return a;
  }

  static Area of(int... values) {
    Area a = new Area(4L * values.length);
    MemorySegment.copy(values, 0, a.all, ValueLayout.JAVA_INT_UNALIGNED, GUARD + 4, values.length);
    return a;
  }

  static Area of(byte... values) {
    Area a = new Area(values.length);
    MemorySegment.copy(values, 0, a.all, ValueLayout.JAVA_BYTE, GUARD + 4, values.length);
    return a;
  }

  /** Uniform values in [-1, 1). */
  static float[] random(long n, long seed) {
    var random = new SplittableRandom(seed);
    float[] v = new float[Math.toIntExact(n)];
    for (int i = 0; i < v.length; i++) {
      v[i] = (float) random.nextDouble(-1, 1);
    }
    return v;
  }

  float[] floats() {
    checkGuards();
    float[] v = new float[Math.toIntExact(bytes / 4)];
    MemorySegment.copy(all, ValueLayout.JAVA_FLOAT_UNALIGNED, GUARD + 4, v, 0, v.length);
    return v;
  }

  int[] ints() {
    checkGuards();
    int[] v = new int[Math.toIntExact(bytes / 4)];
    MemorySegment.copy(all, ValueLayout.JAVA_INT_UNALIGNED, GUARD + 4, v, 0, v.length);
    return v;
  }

  byte[] bytes() {
    checkGuards();
    byte[] v = new byte[Math.toIntExact(bytes)];
    MemorySegment.copy(all, ValueLayout.JAVA_BYTE, GUARD + 4, v, 0, v.length);
    return v;
  }

  /** Fails if anything was written outside. */
  void checkGuards() {
    long end = GUARD + 4 + (bytes + 3) / 4 * 4;
    for (long i = 0; i < all.byteSize(); i += 4) {
      if (i < GUARD + 4 || i >= end) {
        assertThat(all.get(ValueLayout.JAVA_INT_UNALIGNED, i))
            .as("guard at byte %d of an area of %d bytes", i - GUARD - 4, bytes)
            .isEqualTo(POISON);
      }
    }
  }

  /**
   * Compares with a double-precision result. A sum of n terms in [-1, 1] has partial sums of about
   * sqrt(n), each rounded, so its error grows with n; the largest of many is a few times that.
   */
  static void assertClose(float[] actual, double[] expected, long reduction, String what) {
    assertThat(actual).as(what).hasSize(expected.length);
    double n = Math.max(1, reduction);
    double tolerance = Math.ulp(1f) * (4 * Math.sqrt(n) + n / 8);
    for (int i = 0; i < actual.length; i++) {
      double error = Math.abs(actual[i] - expected[i]);
      if (!(error <= tolerance * Math.max(1, Math.abs(expected[i])))) {
        throw new AssertionError(
            what
                + ": element "
                + i
                + " is "
                + actual[i]
                + ", expected "
                + expected[i]
                + " within "
                + tolerance);
      }
    }
  }
}
