package dev.vauban.cli.config;

/** How much is spent on a table. */
public enum Scale implements Named {
  /**
   * Two cores, at most an hour a method: first-order, 32 filters, 1500 meta-steps, 300 episodes.
   */
  SMALL("small"),
  /** A GPU: second-order, 64 filters, 15,000 meta-steps of 16 tasks, 1000 episodes. */
  FULL("full");

  private final String label;

  Scale(String label) {
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
