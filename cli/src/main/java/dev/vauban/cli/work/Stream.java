package dev.vauban.cli.work;

import dev.vauban.tensor.Key;

/**
 * The uses of a run's seed. Each has a key of its own, so that for example more validation episodes
 * leave the training as it is. The numbers are part of what a seed means: never change them.
 */
enum Stream {
  /** Initial weights. */
  WEIGHTS(1),
  /** Training episodes. */
  EPISODES(2),
  /** Random starts of the training attack. */
  ATTACK(3),
  /** Validation episodes. */
  VALIDATION_EPISODES(4),
  /** Random starts of the attack in validation. */
  VALIDATION_ATTACK(5),
  /** Evaluation episodes. */
  EVALUATION_EPISODES(6),
  /** Random starts of the attack in evaluation. */
  EVALUATION_ATTACK(7),
  /** Seeds of inverted inputs. */
  INVERSION(8),
  /** Linear evaluation: classes, head, batches, attacks. */
  LINEAR(9),
  /** Black-box attacks: adaptation of the victim, and the attacks themselves. */
  QUERIES(20);

  private final int number;

  Stream(int number) {
    this.number = number;
  }

  Key key(long seed) {
    return Key.of(seed).fold(number);
  }
}
