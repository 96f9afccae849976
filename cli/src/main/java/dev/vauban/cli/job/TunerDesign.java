package dev.vauban.cli.job;

import dev.vauban.cli.config.TunerInput;
import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Tuner;

/**
 * A learned optimiser.
 *
 * @param hidden units of its cell
 * @param input what the cell sees of a gradient
 * @param scale what its output is multiplied by, in units of the pixel range
 */
public record TunerDesign(int hidden, TunerInput input, double scale) {
  /** The tuner itself. */
  public Tuner tuner() {
    return Tuner.learned(new LearnedOptimizer(hidden, input.input(), scale));
  }
}
