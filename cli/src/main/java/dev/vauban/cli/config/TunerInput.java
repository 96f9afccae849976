package dev.vauban.cli.config;

import dev.vauban.nn.LearnedOptimizer;

/** What a learned optimiser's cell sees of a gradient. */
public enum TunerInput implements Named {
  /** Its logarithm and its sign. */
  LOG_SIGN("log-sign", LearnedOptimizer.Input.LOG_AND_SIGN),
  /** Itself. */
  RAW("raw", LearnedOptimizer.Input.RAW);

  private final String label;
  private final LearnedOptimizer.Input input;

  TunerInput(String label, LearnedOptimizer.Input input) {
    this.label = label;
    this.input = input;
  }

  /** The same in the library. */
  public LearnedOptimizer.Input input() {
    return input;
  }

  @Override
  public String label() {
    return label;
  }

  @Override
  public String toString() {
    return label;
  }
}
