package dev.vauban.cli.config;

/** Whether Omniglot's characters turned by 90, 180 and 270 degrees are classes too. */
public enum Rotations implements Named {
  /** Upright characters only. */
  NONE("none"),
  /** Four classes per training character. */
  TRAIN("train"),
  /** Four classes per character in every split. */
  ALL("all");

  private final String label;

  Rotations(String label) {
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
