package dev.vauban.meta.tuning;

/**
 * How a tuner's steps are unrolled to learn from them. A problem is tuned for {@code segments *
 * steps} steps; each segment is one meta-step, which is differentiated through its own steps only
 * (truncated back-propagation through time), and hands variables and state on to the next.
 *
 * @param steps of a segment, at least 1; 20 in the papers
 * @param segments of a problem, at least 1
 * @param weighting of the steps' losses within a segment
 * @param judged which data the meta-loss is measured on: {@link Problems.Part#UNSEEN} makes a
 *     learned fine-tuner (LFT), {@link Problems.Part#TUNED_ON} learning to optimise (L2O)
 */
public record Unroll(int steps, int segments, Weighting weighting, Problems.Part judged) {
  /** How much each step's loss counts. */
  public enum Weighting {
    /** All the same. */
    UNIFORM,
    /** Step k of K counts k / K: early steps may still be bad. */
    RISING;

    /** Of step k, from 0, of a segment. The weights of a segment sum up to 1. */
    double of(int k, int steps) {
      return switch (this) {
        case UNIFORM -> 1.0 / steps;
        case RISING -> 2.0 * (k + 1) / (steps * (steps + 1.0));
      };
    }
  }

  /** Checks the ranges. */
  public Unroll {
    if (steps < 1 || segments < 1) {
      throw new IllegalArgumentException(
          "an unrolling has at least 1 step and 1 segment, not %d and %d"
              .formatted(steps, segments));
    }
  }

  /** Rising weights, judged on unseen data. */
  public static Unroll of(int steps, int segments) {
    return new Unroll(steps, segments, Weighting.RISING, Problems.Part.UNSEEN);
  }

  /** The same judged on other data. */
  public Unroll judgedOn(Problems.Part part) {
    return new Unroll(steps, segments, weighting, part);
  }
}
