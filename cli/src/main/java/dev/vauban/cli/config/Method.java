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
  /** MAML whose inner update is a learned optimiser, an LSTM (Zhao et al. 2020). */
  MAML_LFT("maml-lft"),
  /** The multi-step loss of MAML++ (Antoniou et al. 2019). */
  MSL("msl"),
  /**
   * MAML++ whole: rates and norms of each step, annealed multi-step loss (Antoniou et al. 2019).
   */
  MAML_PLUS_PLUS("maml++"),
  /** Reptile: towards the adapted weights (Nichol et al. 2018). */
  REPTILE("reptile"),
  /** Prototypical networks: the nearest class mean (Snell et al. 2017). */
  PROTONET("protonet"),
  /** Prototypical networks trained on attacked queries (adversarial querying). */
  PROTONET_AQ("protonet-aq"),
  /** RFS: a classifier of all training classes, then a logistic regression (Tian et al. 2020). */
  RFS("rfs"),
  /** RFS with adversarial pre-training. */
  RFS_AT("rfs-at"),
  /** R-MAML with the robust loss in the outer level (Wang et al. 2021). */
  RMAML_OUT("rmaml-out"),
  /** R-MAML with the robust loss in both levels. */
  RMAML_BOTH("rmaml-both"),
  /** R-MAML with the robust loss in the inner level alone, as a control. */
  RMAML_IN("rmaml-in"),
  /** R-MAML as released: clean and robust loss have an Adam each. */
  RMAML_DUAL("rmaml-dual"),
  /** R-MAML with the TRADES loss in the outer level. */
  RMAML_TRADES("rmaml-trades"),
  /** The same over support, query and unlabeled images. */
  RMAML_TRADES_UL("rmaml-trades-ul"),
  /** R-MAML with a contrastive task for the meta-parameters. */
  RMAML_CL("rmaml-cl"),
  /** ANIL with R-MAML's outer level. */
  RANIL_OUT("ranil-out"),
  /** Adversarial querying: the outer loss on attacked queries alone (Goldblum et al. 2020). */
  AQ("aq"),
  /** The same with attacked support images too. */
  AQ_BOTH("aq-both"),
  /** ADML: two arms with crossed clean and attacked losses (Yin et al. 2018). */
  ADML("adml"),
  /** MAVRL: two views, attacked until they disagree, learn to agree (Kim et al. 2022). */
  MAVRL("mavrl");

  private final String label;

  Method(String label) {
    this.label = label;
  }

  /** Whether training attacks images; {@code gamma} and the training attack matter to it. */
  public boolean robust() {
    return switch (this) {
      case MAML,
          FOMAML,
          ANIL,
          BOIL,
          META_SGD,
          MAML_LFT,
          MSL,
          MAML_PLUS_PLUS,
          REPTILE,
          PROTONET,
          RFS ->
          false;
      case PROTONET_AQ,
          RFS_AT,
          RMAML_OUT,
          RMAML_BOTH,
          RMAML_IN,
          RMAML_DUAL,
          RMAML_TRADES,
          RMAML_TRADES_UL,
          RMAML_CL,
          RANIL_OUT,
          AQ,
          AQ_BOTH,
          ADML,
          MAVRL ->
          true;
    };
  }

  /** Whether training is one classifier of all training classes instead of episodes. */
  public boolean pretrains() {
    return this == RFS || this == RFS_AT;
  }

  /** Whether its robust loss, with this choice of one, is the divergence of predictions: TRADES. */
  public boolean takesDivergence(Regularizer regularizer) {
    return switch (this) {
      case RMAML_TRADES, RMAML_TRADES_UL -> true;
      case RMAML_OUT, RMAML_BOTH, RMAML_IN, RMAML_DUAL, RMAML_CL, RANIL_OUT ->
          regularizer == Regularizer.DIVERGENCE;
      default -> false;
    };
  }

  /** The order of the meta-gradient, where the method leaves no choice. */
  public Optional<Order> order() {
    return switch (this) {
      case FOMAML, REPTILE, MAML_LFT -> Optional.of(Order.FIRST);
      case META_SGD -> Optional.of(Order.SECOND);
      default -> Optional.empty();
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
