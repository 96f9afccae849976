package dev.vauban.nn.data;

import dev.vauban.tensor.Key;

/**
 * Numbers drawn from a key one after another. Uses nothing but exactly rounded arithmetic, so that
 * the numbers are the same bits on every machine.
 */
final class Draws {
  private static final double SQRT_3 = 1.7320508075688772;

  private final Key key;
  private long counter;

  Draws(Key key) {
    this.key = key;
  }

  /** In [0, 1). */
  double uniform() {
    return key.uniform(counter++);
  }

  /** In [from, to). */
  double between(double from, double to) {
    return from + (to - from) * uniform();
  }

  /** In 0..bound-1. */
  int index(int bound) {
    return key.index(counter++, bound);
  }

  /** True with this probability. */
  boolean chance(double probability) {
    return uniform() < probability;
  }

  /** Nearly normal, mean 0, variance 1, within 3.5: the sum of four uniform numbers. */
  double bell() {
    return (uniform() + uniform() + uniform() + uniform() - 2) * SQRT_3;
  }
}
