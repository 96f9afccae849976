package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;

/** Where an iterative attack begins. */
public enum Start {
  /** At the image itself. */
  IMAGE,
  /** At a random point of the ball, clipped to [0,1]. */
  RANDOM,
  /** At the image plus normal noise of deviation 0.001, not clipped, as in TRADES and MART. */
  NEAR;

  /** Images to begin with, [N,...] like {@code x}. */
  Expr of(Ball ball, Expr x, Expr key) {
    return switch (this) {
      case IMAGE -> x;
      case RANDOM -> ball.start(x, key).clamp(0, 1);
      case NEAR -> x.add(key.normal(x.shape()).cast(x.dtype()).mul(0.001));
    };
  }
}
