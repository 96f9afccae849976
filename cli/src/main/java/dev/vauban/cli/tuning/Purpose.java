package dev.vauban.cli.tuning;

import dev.vauban.tensor.Key;

/**
 * The uses of a seed around tuners. Each has a key of its own. The numbers are part of what a seed
 * means: never change them.
 */
enum Purpose {
  /** A tuner's initial weights. */
  WEIGHTS(1),
  /** Directions of gradient estimates in training. */
  TRAINING(2),
  /** Tasks to train on. */
  TRAINING_TASKS(3),
  /** Tasks to test on. */
  TEST_TASKS(4),
  /** Tasks of training images that rates are chosen on. */
  CHOICE_TASKS(5),
  /** Directions of gradient estimates in a test. */
  TEST(6),
  /** Random patterns. */
  PATTERNS(7),
  /** A victim's training. */
  VICTIM(8),
  /** Large tasks that make one perturbation for a whole source. */
  MANY_IMAGES(9),
  /** Tasks that meta-gradients are compared on. */
  GAP(10);

  private static final int TUNERS = 30; // apart from the uses of dev.vauban.cli.work

  private final int number;

  Purpose(int number) {
    this.number = number;
  }

  Key key(long seed) {
    return Key.of(seed).fold(TUNERS).fold(number);
  }
}
