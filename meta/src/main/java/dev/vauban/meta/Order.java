package dev.vauban.meta;

/** How far meta-gradients see through the inner updates. */
public enum Order {
  /** The inner gradients count as constants (FOMAML); no second derivatives. */
  FIRST,
  /** The exact meta-gradient. */
  SECOND
}
