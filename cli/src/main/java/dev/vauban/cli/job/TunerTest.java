package dev.vauban.cli.job;

import java.util.List;

/**
 * How a trained tuner is tested.
 *
 * @param tasks test tasks
 * @param steps of each tuner
 * @param at the steps to report, rising, the last one {@code steps}
 * @param rivals whom to compare with
 * @param seed of the test tasks and all randomness of the test
 * @param compute where it runs
 * @param choiceTasks training tasks that the rivals' rates are chosen on
 * @param mamlIterations meta-steps of a MAML start; 0 for none
 * @param pictures test tasks whose perturbations are shown
 */
public record TunerTest(
    int tasks,
    int steps,
    List<Integer> at,
    Rivals rivals,
    long seed,
    Compute compute,
    int choiceTasks,
    int mamlIterations,
    int pictures) {
  /** Whom a tuner is compared with. */
  public enum Rivals {
    /** Nobody. */
    NONE,
    /** Designed optimisers, controls without gradients, and what needs many images. */
    ALL
  }

  /** Keeps a copy. */
  public TunerTest {
    at = List.copyOf(at);
  }
}
