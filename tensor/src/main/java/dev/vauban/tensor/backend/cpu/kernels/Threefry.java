package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

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

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Draws for every key.
   *
   * @param key address of i32 keys[keys, 2], first word k0
   * @param dst address of the result [keys, count]
   * @param scratch not used
   */
  public void run(long key, long dst, long scratch) {
    for (int i = 0; i < keys; i++) {
      draw(Memory.getInt(key + 8L * i), Memory.getInt(key + 8L * i + 4), dst);
      dst += 4 * count;
    }
  }

  /**
   * Draws for one key given by its words.
   *
   * @param k0 first word
   * @param k1 second word
   * @param dst address of the result [count]
   */
  public void draw(int k0, int k1, long dst) {
    int k2 = PARITY ^ k0 ^ k1;
    for (long i = 0; i < count; i += LANES) { // LANES counters at a time share the upper word
      IntVector x0 = IntVector.broadcast(I32, (int) (i >>> 32) + k0);
      IntVector x1 = IOTA.add((int) i + k1);
      x0 = x0.add(x1);
      x1 = turn(x1, 13, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 15, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 26, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 6, x0);
      x0 = x0.add(k1);
      x1 = x1.add(k2 + 1);
      x0 = x0.add(x1);
      x1 = turn(x1, 17, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 29, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 16, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 24, x0);
      x0 = x0.add(k2);
      x1 = x1.add(k0 + 2);
      x0 = x0.add(x1);
      x1 = turn(x1, 13, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 15, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 26, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 6, x0);
      x0 = x0.add(k0);
      x1 = x1.add(k1 + 3);
      x0 = x0.add(x1);
      x1 = turn(x1, 17, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 29, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 16, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 24, x0);
      x0 = x0.add(k1);
      x1 = x1.add(k2 + 4);
      x0 = x0.add(x1);
      x1 = turn(x1, 13, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 15, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 26, x0);
      x0 = x0.add(x1);
      x1 = turn(x1, 6, x0);
      x0 = x0.add(k2);
      x1 = x1.add(k0 + 5);
      long to = dst + 4 * i;
      switch (distribution) {
        case BITS -> store(x0, to, count - i);
        case UNIFORM -> store(uniform(x0).reinterpretAsInts(), to, count - i);
        case NORMAL -> store(radius(x0).mul(cosine(x1)).reinterpretAsInts(), to, count - i);
      }
    }
  }

  private static IntVector turn(IntVector x, int bits, IntVector other) {
    return x.lanewise(VectorOperators.ROL, bits).lanewise(VectorOperators.XOR, other);
  }

  private static void store(IntVector v, long to, long left) {
    if (left >= LANES) {
      v.intoMemorySegment(ALL, to, ORDER);
    } else {
      v.intoMemorySegment(ALL, to, ORDER, I32.indexInRange(0, (int) left));
    }
  }

  private static FloatVector uniform(IntVector word) {
    IntVector n = word.lanewise(VectorOperators.LSHR, 8);
    return ((FloatVector) n.convert(VectorOperators.I2F, 0)).mul(STEP);
  }

  /** sqrt(-2 ln u) with u = ((word >>> 8) + 1) / 2^24; the logarithm is Cephes' logf. */
  private static FloatVector radius(IntVector word) {
    IntVector n = word.lanewise(VectorOperators.LSHR, 8).add(1);
    FloatVector u = ((FloatVector) n.convert(VectorOperators.I2F, 0)).mul(STEP);
    // u = m 2^e with m in [sqrt(1/2), sqrt(2)).
    IntVector shifted = u.reinterpretAsInts().sub(SQRT_HALF);
    FloatVector e =
        (FloatVector) shifted.lanewise(VectorOperators.ASHR, 23).convert(VectorOperators.I2F, 0);
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
    return log.mul(-2f).lanewise(VectorOperators.SQRT);
  }

  /** cos(2 pi v) with v = (word >>> 8) / 2^24: the nearest quarter turn is removed exactly. */
  private static FloatVector cosine(IntVector word) {
    IntVector n = word.lanewise(VectorOperators.LSHR, 8);
    IntVector quarter = n.add(1 << 21).lanewise(VectorOperators.LSHR, 22);
    IntVector rest = n.sub(quarter.lanewise(VectorOperators.LSHL, 22));
    FloatVector x =
        ((FloatVector) rest.convert(VectorOperators.I2F, 0)).mul((float) (2 * Math.PI * 0x1p-24));
    FloatVector z = x.mul(x);
    FloatVector c = FloatVector.broadcast(F32, 2.443315711809948e-5f);
    c = c.fma(z, FloatVector.broadcast(F32, -1.388731625493765e-3f));
    c = c.fma(z, FloatVector.broadcast(F32, 4.166664568298827e-2f));
    c = c.mul(z).fma(z, z.fma(FloatVector.broadcast(F32, -0.5f), FloatVector.broadcast(F32, 1f)));
    FloatVector s = FloatVector.broadcast(F32, -1.9515295891e-4f);
    s = s.fma(z, FloatVector.broadcast(F32, 8.3321608736e-3f));
    s = s.fma(z, FloatVector.broadcast(F32, -1.6666654611e-1f));
    s = s.mul(z).fma(x, x);
    // cos(a + q pi/2) is cos, -sin, -cos, sin for q = 0, 1, 2, 3.
    var odd = quarter.and(1).compare(VectorOperators.NE, 0);
    FloatVector value = c.blend(s, odd.cast(F32));
    var negative = quarter.add(1).and(2).compare(VectorOperators.NE, 0);
    return value.blend(value.neg(), negative.cast(F32));
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
