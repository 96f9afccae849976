package dev.vauban.cli.config;

/** The attacks that robust meta-training may use in its loss. */
public enum TrainAttack implements Named {
  /** One step of the whole budget from the image. */
  FGSM("fgsm"),
  /** FGSM from a random start: one gradient per step. */
  FGSM_RS("fgsm-rs"),
  /** Several projected steps: slower, stronger. */
  PGD("pgd");

  private final String label;

  TrainAttack(String label) {
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
