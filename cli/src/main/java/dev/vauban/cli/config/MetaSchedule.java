package dev.vauban.cli.config;

/** How the step size of the outer loop changes over the run. */
public enum MetaSchedule implements Named {
  /** The same at every step. */
  CONSTANT("constant"),
  /** Half a cosine down to its end at the last of the run's meta-steps. */
  COSINE("cosine"),
  /** A tenth from 60% of the run's meta-steps on, a hundredth from 80% on. */
  STEPS("steps");

  private final String label;

  MetaSchedule(String label) {
    this.label = label;
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
