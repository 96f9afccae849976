package dev.vauban.cli.config;

/** What a model's file answers as in a black-box attack. */
public enum Victim implements Named {
  /** Adapted to the support images of each episode. */
  ADAPTED("adapted"),
  /** As it is, for all classes of its data. */
  CLASSIFIER("classifier");

  private final String label;

  Victim(String label) {
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
