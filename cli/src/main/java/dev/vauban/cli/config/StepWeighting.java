package dev.vauban.cli.config;

import dev.vauban.meta.tuning.Unroll;

/** How much each step's loss counts in a meta-loss. */
public enum StepWeighting implements Named {
  /** Step k of K counts k/K. */
  RISING("rising", Unroll.Weighting.RISING),
  /** All the same. */
  UNIFORM("uniform", Unroll.Weighting.UNIFORM);

  private final String label;
  private final Unroll.Weighting weighting;

  StepWeighting(String label, Unroll.Weighting weighting) {
    this.label = label;
    this.weighting = weighting;
  }

  /** The same in the library. */
  public Unroll.Weighting weighting() {
    return weighting;
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
