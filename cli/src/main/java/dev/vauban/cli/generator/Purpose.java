package dev.vauban.cli.generator;

import dev.vauban.tensor.Key;

/**
 * The uses of a seed around generators. Each has a key of its own. The numbers are part of what a
 * seed means: never change them.
 */
enum Purpose {
  /** A generator's initial weights. */
  WEIGHTS(1),
  /** The surrogates' training. */
  SURROGATES(2),
  /** Batches of the first stage. */
  IMITATION_BATCHES(3),
  /** All else in the first stage. */
  IMITATION(4),
  /** Batches of the second stage. */
  ADAPTATION_BATCHES(5),
  /** All else in the second stage. */
  ADAPTATION(6),
  /** Draws from a guide's memory. */
  GUIDE(7);

  private static final int GENERATORS = 40; // apart from the uses of other packages

  private final int number;

  Purpose(int number) {
    this.number = number;
  }

  Key key(long seed) {
    return Key.of(seed).fold(GENERATORS).fold(number);
  }
}
