package dev.vauban.cli.config;

/** What a tuner sees of the loss that it tunes on. */
public enum GradientSource implements Named {
  /** Its gradient. */
  EXACT("exact"),
  /** An estimate from values of the loss at random directions: no derivative of the victim. */
  ESTIMATED("estimated");

  private final String label;

  GradientSource(String label) {
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
