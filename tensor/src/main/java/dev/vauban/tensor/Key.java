package dev.vauban.tensor;

/**
 * A key of the counter-based random generator Threefry-2x32-20 (Salmon et al. 2011, "Parallel
 * random numbers: as easy as 1, 2, 3"). Randomness is data: the same key gives the same numbers on
 * every device and with any number of threads. Derive independent keys with {@link #fold}.
 *
 * @param k0 first key word
 * @param k1 second key word
 */
public record Key(int k0, int k1) {
  private static final int PARITY = 0x1BD11BDA;
  private static final int[][] ROTATIONS = {{13, 15, 26, 6}, {17, 29, 16, 24}};

  /** The key of a seed. */
  public static Key of(long seed) {
    return new Key((int) (seed >>> 32), (int) seed);
  }

  /** An independent key for {@code data}: the block of counter {@code data} under this key. */
  public Key fold(long data) {
    long block = block(k0, k1, (int) (data >>> 32), (int) data);
    return new Key((int) (block >>> 32), (int) block);
  }

  /** 64 random bits for {@code counter}. */
  public long bits(long counter) {
    return block(k0, k1, (int) (counter >>> 32), (int) counter);
  }

  /** A number in [0, 1) with 53 random bits. */
  public double uniform(long counter) {
    return (bits(counter) >>> 11) * 0x1p-53;
  }

  /** An index in [0, bound); {@code bound} is at least 1. The bias is below bound / 2^53. */
  public int index(long counter, int bound) {
    return (int) (uniform(counter) * bound);
  }

  /** A number from the standard normal distribution (Box-Muller, cosine branch). */
  public double normal(long counter) {
    double u = ((bits(counter * 2) >>> 11) + 1) * 0x1p-53;
    double v = uniform(counter * 2 + 1);
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  }

  /** A random permutation of 0..n-1 (Fisher-Yates, one counter per position). */
  public int[] permutation(int n) {
    int[] p = new int[n];
    for (int i = 0; i < n; i++) {
      p[i] = i;
    }
    for (int i = n - 1; i > 0; i--) {
      int j = index(i, i + 1);
      int t = p[i];
      p[i] = p[j];
      p[j] = t;
    }
    return p;
  }

  /** One Threefry-2x32-20 block: 64 bits, the first output word in the upper half. */
  public static long block(int k0, int k1, int c0, int c1) {
    // The key schedule rotates through three locals: this runs where nothing may be allocated.
    int a = k1;
    int b = PARITY ^ k0 ^ k1;
    int c = k0;
    int x0 = c0 + k0;
    int x1 = c1 + k1;
    for (int group = 0; group < 5; group++) {
      int[] rotations = ROTATIONS[group & 1];
      for (int i = 0; i < 4; i++) {
        x0 += x1;
        x1 = Integer.rotateLeft(x1, rotations[i]) ^ x0;
      }
      x0 += a;
      x1 += b + group + 1;
      int t = a;
      a = b;
      b = c;
      c = t;
    }
    return ((long) x0 << 32) | (x1 & 0xFFFFFFFFL);
  }
}
