package dev.vauban.cli.config;

/** How the step size of the outer loop changes over the run. */
public enum MetaSchedule implements Named {
  /** The same at every step. */
  CONSTANT("constant"),
  /** Half a cosine down to 0 at the last of the run's meta-steps. */
  COSINE("cosine");

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
