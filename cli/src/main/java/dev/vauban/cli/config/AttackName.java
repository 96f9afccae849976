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
  PGD_L2("pgd-l2"),
  /** Auto-PGD in the L-infinity ball (Croce and Hein 2020): finds its step size itself. */
  APGD("apgd"),
  /** Auto-PGD in the L2 ball. */
  APGD_L2("apgd-l2");

  private final String label;

  AttackName(String label) {
    this.label = label;
  }

  /** Whether the budget is a Euclidean length. */
  public boolean euclidean() {
    return this == PGD_L2 || this == APGD_L2;
  }

  /** Whether it takes a number of gradient steps. */
  public boolean iterative() {
    return this != FGSM && this != FGSM_RS;
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
