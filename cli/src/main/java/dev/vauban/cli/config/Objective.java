package dev.vauban.cli.config;

import dev.vauban.adversarial.AttackLoss;

/** What the attack of an evaluation raises. */
public enum Objective implements Named {
  /** The cross-entropy. */
  CE("ce", AttackLoss.CROSS_ENTROPY),
  /** The difference of logits ratio (Croce and Hein 2020), which needs at least 3 ways. */
  DLR("dlr", AttackLoss.DLR);

  private final String label;
  private final AttackLoss loss;

  Objective(String label, AttackLoss loss) {
    this.label = label;
    this.loss = loss;
  }

  @Override
  public String label() {
    return label;
  }

  /** The loss itself. */
  public AttackLoss loss() {
    return loss;
  }

  @Override
  public String toString() {
    return label;
  }
}
