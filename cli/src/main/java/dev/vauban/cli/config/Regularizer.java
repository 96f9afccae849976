package dev.vauban.cli.config;

/** What R-MAML adds to the clean loss. */
public enum Regularizer implements Named {
  /** The cross-entropy of attacked images. */
  CROSS_ENTROPY("ce"),
  /** The divergence of clean and attacked predictions: TRADES. */
  DIVERGENCE("kl");

  private final String label;

  Regularizer(String label) {
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
