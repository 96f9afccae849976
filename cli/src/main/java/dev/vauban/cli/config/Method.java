package dev.vauban.cli.config;

/** The meta-learners that the command knows. */
public enum Method implements Named {
  /** MAML with second-order gradients (Finn et al. 2017). */
  MAML("maml"),
  /** First-order MAML. */
  FOMAML("fomaml"),
  /** ANIL: only the last layer adapts (Raghu et al. 2020). */
  ANIL("anil"),
  /** R-MAML with the robust loss in the outer level (Wang et al. 2021). */
  RMAML_OUT("rmaml-out"),
  /** R-MAML with the robust loss in both levels. */
  RMAML_BOTH("rmaml-both");

  private final String label;

  Method(String label) {
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
