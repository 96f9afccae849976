package dev.vauban.adversarial;

/** Where an iterative attack begins. */
public enum Start {
  /** At the image itself. */
  IMAGE,
  /** At a random point of the ball, clipped to [0,1]. */
  RANDOM,
  /** At the image plus normal noise of deviation 0.001, not clipped, as in TRADES and MART. */
  NEAR
}
