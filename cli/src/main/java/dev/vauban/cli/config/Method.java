package dev.vauban.cli.config;

import java.util.Optional;

/** The meta-learners that the command knows. */
public enum Method implements Named {
  /** MAML with second-order gradients (Finn et al. 2017). */
  MAML("maml"),
  /** First-order MAML. */
  FOMAML("fomaml"),
  /** ANIL: only the last layer adapts (Raghu et al. 2020). */
  ANIL("anil"),
  /** BOIL: all but the last layer adapts (Oh et al. 2021). */
  BOIL("boil"),
  /** Meta-SGD: MAML with learned step sizes (Li et al. 2017). */
  META_SGD("meta-sgd"),
  /** The multi-step loss of MAML++ (Antoniou et al. 2019). */
  MSL("msl"),
  /** Reptile: towards the adapted weights (Nichol et al. 2018). */
  REPTILE("reptile"),
  /** R-MAML with the robust loss in the outer level (Wang et al. 2021). */
  RMAML_OUT("rmaml-out"),
  /** R-MAML with the robust loss in both levels. */
  RMAML_BOTH("rmaml-both"),
  /** R-MAML with the robust loss in the inner level alone, as a control. */
  RMAML_IN("rmaml-in"),
  /** R-MAML with the TRADES loss in the outer level. */
  RMAML_TRADES("rmaml-trades"),
  /** Adversarial querying: the outer loss on attacked queries alone (Goldblum et al. 2020). */
  AQ("aq"),
  /** ADML: two arms with crossed clean and attacked losses (Yin et al. 2018). */
  ADML("adml");

  private final String label;

  Method(String label) {
    this.label = label;
  }

  /** Whether training attacks images; {@code gamma} and the training attack matter to it. */
  public boolean robust() {
    return switch (this) {
      case MAML, FOMAML, ANIL, BOIL, META_SGD, MSL, REPTILE -> false;
      case RMAML_OUT, RMAML_BOTH, RMAML_IN, RMAML_TRADES, AQ, ADML -> true;
    };
  }

  /** The order of the meta-gradient, where the method leaves no choice. */
  public Optional<Order> order() {
    return switch (this) {
      case FOMAML, REPTILE -> Optional.of(Order.FIRST);
      case META_SGD -> Optional.of(Order.SECOND);
      case MAML, ANIL, BOIL, MSL, RMAML_OUT, RMAML_BOTH, RMAML_IN, RMAML_TRADES, AQ, ADML ->
          Optional.empty();
    };
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
