package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.INTS;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.ROL;
import static jdk.incubator.vector.VectorOperators.SQRT;
import static jdk.incubator.vector.VectorOperators.XOR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Random numbers of Threefry-2x32-20 keys (Salmon et al. 2011): element i of a key comes from the
 * block of counter i alone, so any part can be drawn again in any order.
 *
 * <p>The normal distribution's logarithm and cosine are polynomials of our own (Cephes), not the
 * vector library's: those differ in the last bit from what runs before compilation, and the same
 * key must give the same bits always.
 */
public final class Threefry {
  private static final int PARITY = 0x1BD11BDA;
  private static final IntVector IOTA = IntVector.zero(I32).addIndex(1);
  private static final int CHUNK = 1024; // elements between passes; a multiple of every width
  private static final float STEP = 0x1p-24f;
  private static final int SQRT_HALF = 0x3F3504F3; // bits of sqrt(1/2)

  /** What is drawn. */
  public enum Distribution {
    /** i32: the first word of the block. */
    BITS,
    /** f32 in [0, 1), multiples of 2^-24: the upper 24 bits of the first word. */
    UNIFORM,
    /**
     * f32 standard normal (Box and Muller): sqrt(-2 ln u) cos(2 pi v) with u in (0, 1] from the
     * first word and v in [0, 1) from the second, 24 bits each.
     */
    NORMAL
  }

  private final Distribution distribution;
  private final int keys;
  private final long count;

  /**
   * Prepares a draw.
   *
   * @param distribution what to draw
   * @param keys number of keys
   * @param count elements per key
   * @throws IllegalArgumentException if a size is negative
   */
  public Threefry(Distribution distribution, int keys, long count) {
    if (keys < 0 || count < 0) {
      throw new IllegalArgumentException(
          "random: " + count + " elements for each of " + keys + " keys; at least 0");
    }
    this.distribution = distribution;
    this.keys = keys;
    this.count = count;
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return 2L * 4 * CHUNK;
  }

  /**
   * Draws for every key.
   *
   * @param key address of i32 keys[keys, 2], first word k0
   * @param dst address of the result [keys, count]
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long key, long dst, long scratch) {
    for (int i = 0; i < keys; i++) {
      draw(Memory.getInt(key + 8L * i), Memory.getInt(key + 8L * i + 4), dst, scratch);
      dst += 4 * count;
    }
  }

  /**
   * Draws for one key given by its words.
   *
   * @param k0 first word
   * @param k1 second word
   * @param dst address of the result [count]
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void draw(int k0, int k1, long dst, long scratch) {
    for (long i = 0; i < count; i += CHUNK) {
      int n = (int) Math.min(CHUNK, count - i);
      // Whole vectors always; the last ones may not fit the result and go by way of scratch.
      long a = n % LANES == 0 ? dst + 4 * i : scratch;
      long b = scratch + 4L * CHUNK;
      words(k0, k1, i, n, a, b);
      switch (distribution) {
        case BITS -> {}
        case UNIFORM -> uniform(a, n);
        case NORMAL -> {
          radius(a, n);
          timesCosine(a, b, n);
        }
      }
      if (a == scratch) {
        Memory.copy(scratch, dst + 4 * i, 4L * n);
      }
    }
  }

  // Short methods, one pass each: the compiler stops inlining, and vectors become objects, after
  // some fifty vector operations in one method.

  /** Both output words of the blocks of counters {@code start} to {@code start + n - 1}. */
  private static void words(int k0, int k1, long start, int n, long a, long b) {
    int k2 = PARITY ^ k0 ^ k1;
    int upper = (int) (start >>> 32);
    for (int i = 0; i < n; i += LANES) {
      IntVector x0 = IntVector.broadcast(I32, upper + k0);
      IntVector x1 = IOTA.add((int) start + i + k1);
      int p = k1; // the key words to add after this group of rounds, and the one after them
      int q = k2;
      int r = k0;
      for (int g = 0; g < 5; g++) {
        boolean even = (g & 1) == 0;
        x0 = INTS.cast(x0).add(x1);
        x1 = INTS.cast(x1).lanewise(ROL, even ? 13 : 17).lanewise(XOR, x0);
        x0 = x0.add(x1);
        x1 = x1.lanewise(ROL, even ? 15 : 29).lanewise(XOR, x0);
        x0 = x0.add(x1);
        x1 = x1.lanewise(ROL, even ? 26 : 16).lanewise(XOR, x0);
        x0 = x0.add(x1);
        x1 = x1.lanewise(ROL, even ? 6 : 24).lanewise(XOR, x0);
        x0 = x0.add(p);
        x1 = x1.add(q + g + 1);
        int first = p;
        p = q;
        q = r;
        r = first;
      }
      INTS.cast(x0).intoMemorySegment(ALL, a + 4L * i, ORDER);
      INTS.cast(x1).intoMemorySegment(ALL, b + 4L * i, ORDER);
    }
  }

  private static void uniform(long a, int n) {
    for (long at = a; at < a + 4L * n; at += Species.BYTES) {
      IntVector word = IntVector.fromMemorySegment(I32, ALL, at, ORDER).lanewise(LSHR, 8);
      ((FloatVector) word.castShape(F32, 0)).mul(STEP).intoMemorySegment(ALL, at, ORDER);
    }
  }

  /** Words to sqrt(-2 ln u), u = ((word >>> 8) + 1) / 2^24; the logarithm is Cephes' logf. */
  private static void radius(long a, int n) {
    for (long at = a; at < a + 4L * n; at += Species.BYTES) {
      IntVector word = IntVector.fromMemorySegment(I32, ALL, at, ORDER).lanewise(LSHR, 8).add(1);
      FloatVector u = ((FloatVector) word.castShape(F32, 0)).mul(STEP);
      // u = m 2^e with m in [sqrt(1/2), sqrt(2)).
      IntVector shifted = u.reinterpretAsInts().sub(SQRT_HALF);
      FloatVector e = (FloatVector) shifted.lanewise(ASHR, 23).castShape(F32, 0);
      FloatVector x = shifted.and(0x7FFFFF).add(SQRT_HALF).reinterpretAsFloats().sub(1f);
      FloatVector z = x.mul(x);
      FloatVector p = FloatVector.broadcast(F32, 7.0376836292e-2f);
      p = p.fma(x, FloatVector.broadcast(F32, -1.1514610310e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, 1.1676998740e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, -1.2420140846e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, 1.4249322787e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, -1.6668057665e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, 2.0000714765e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, -2.4999993993e-1f));
      p = p.fma(x, FloatVector.broadcast(F32, 3.3333331174e-1f));
      FloatVector y = p.mul(x).mul(z);
      y = e.fma(FloatVector.broadcast(F32, -2.12194440e-4f), y); // ln 2 in two parts
      y = z.fma(FloatVector.broadcast(F32, -0.5f), y);
      FloatVector log = e.fma(FloatVector.broadcast(F32, 0.693359375f), x.add(y));
      log.mul(-2f).lanewise(SQRT).intoMemorySegment(ALL, at, ORDER);
    }
  }

  /**
   * Multiplies a by cos(2 pi v), v = (word >>> 8) / 2^24 of the words b. The nearest quarter turn
   * is removed exactly; the polynomials are Cephes' sinf and cosf.
   */
  private static void timesCosine(long a, long b, int n) {
    for (long i = 0; i < 4L * n; i += Species.BYTES) {
      IntVector word = IntVector.fromMemorySegment(I32, ALL, b + i, ORDER).lanewise(LSHR, 8);
      IntVector quarter = word.add(1 << 21).lanewise(LSHR, 22);
      IntVector rest = word.sub(quarter.lanewise(LSHL, 22));
      FloatVector x = ((FloatVector) rest.castShape(F32, 0)).mul((float) (Math.PI * 0x1p-23));
      FloatVector z = x.mul(x);
      FloatVector c = FloatVector.broadcast(F32, 2.443315711809948e-5f);
      c = c.fma(z, FloatVector.broadcast(F32, -1.388731625493765e-3f));
      c = c.fma(z, FloatVector.broadcast(F32, 4.166664568298827e-2f));
      c = c.fma(z, FloatVector.broadcast(F32, -0.5f));
      c = c.fma(z, FloatVector.broadcast(F32, 1f));
      FloatVector s = FloatVector.broadcast(F32, -1.9515295891e-4f);
      s = s.fma(z, FloatVector.broadcast(F32, 8.3321608736e-3f));
      s = s.fma(z, FloatVector.broadcast(F32, -1.6666654611e-1f));
      s = s.mul(z).fma(x, x);
      // cos(a + q pi/2) is cos, -sin, -cos, sin for q = 0, 1, 2, 3.
      FloatVector value = c.blend(s, quarter.and(1).compare(NE, 0).cast(F32));
      IntVector sign = quarter.add(1).and(2).lanewise(LSHL, 30);
      value
          .reinterpretAsInts()
          .lanewise(XOR, sign)
          .reinterpretAsFloats()
          .mul(FloatVector.fromMemorySegment(F32, ALL, a + i, ORDER))
          .intoMemorySegment(ALL, a + i, ORDER);
    }
  }

  /** One block for one counter: the first output word in the upper half. */
  static long block(int k0, int k1, int c0, int c1) {
    int k2 = PARITY ^ k0 ^ k1;
    int x0 = c0 + k0;
    int x1 = c1 + k1;
    for (int g = 0; g < 5; g++) {
      boolean even = (g & 1) == 0;
      x0 += x1;
      x1 = Integer.rotateLeft(x1, even ? 13 : 17) ^ x0;
      x0 += x1;
      x1 = Integer.rotateLeft(x1, even ? 15 : 29) ^ x0;
      x0 += x1;
      x1 = Integer.rotateLeft(x1, even ? 26 : 16) ^ x0;
      x0 += x1;
      x1 = Integer.rotateLeft(x1, even ? 6 : 24) ^ x0;
      x0 += g % 3 == 0 ? k1 : g % 3 == 1 ? k2 : k0;
      x1 += (g % 3 == 0 ? k2 : g % 3 == 1 ? k0 : k1) + g + 1;
    }
    return ((long) x0 << 32) | (x1 & 0xFFFFFFFFL);
  }
}
