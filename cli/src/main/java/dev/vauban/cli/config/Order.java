package dev.vauban.cli.config;

/** How far gradients flow through the inner loop. */
public enum Order implements Named {
  /** Gradients of the adapted weights are constants. */
  FIRST("first"),
  /** The exact meta-gradient. */
  SECOND("second");

  private final String label;

  Order(String label) {
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
