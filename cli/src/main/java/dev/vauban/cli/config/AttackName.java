package dev.vauban.cli.config;

/** The attacks that the command knows. */
public enum AttackName implements Named {
  /** One signed gradient step (Goodfellow et al. 2015). */
  FGSM("fgsm"),
  /** FGSM from a random start (Wong et al. 2020). */
  FGSM_RS("fgsm-rs"),
  /** Projected gradient ascent in the L-infinity ball (Madry et al. 2018). */
  PGD("pgd"),
  /** Projected gradient ascent in the L2 ball. */
  PGD_L2("pgd-l2");

  private final String label;

  AttackName(String label) {
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
