package dev.vauban.cli.config;

/** Which support images an evaluation fine-tunes on. */
public enum SupportImages implements Named {
  /** The images as they are. */
  CLEAN("clean"),
  /** Attacked at every step at the weights so far. */
  ATTACKED("attacked"),
  /** Once each: the four accuracies of adversarial querying. */
  BOTH("both");

  private final String label;

  SupportImages(String label) {
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
