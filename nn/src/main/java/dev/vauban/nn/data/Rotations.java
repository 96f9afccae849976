package dev.vauban.nn.data;

/**
 * Whether Omniglot characters turned by 90, 180 and 270 degrees count as classes of their own
 * (Santoro et al. 2016; MAML and prototypical networks train this way).
 */
public enum Rotations {
  /** Upright characters only. */
  NONE,
  /** Four classes per training character; validation and test stay upright. */
  TRAIN,
  /** Four classes per character in every split. */
  ALL
}
