package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;

/**
 * What an attacker may do to each image: move it within a norm ball around the original. Images lie
 * in [0,1] and are not normalised; radii are in the same units. The first axis counts images, and
 * every method treats each image on its own.
 *
 * <p>The radius is an expression, so that it can be a constant or an input of the plan: one plan
 * then serves a whole accuracy-over-radius curve.
 */
public sealed interface Ball permits Linf, L2 {
  /** The radius: a scalar, at least 0. */
  Expr radius();

  /**
   * {@code adv} moved back into the ball around {@code x}. The bounds [0,1] are the attack's
   * business.
   *
   * <p>Shape: [N,...], [N,...] → [N,...].
   */
  Expr project(Expr adv, Expr x);

  /**
   * The direction of unit size in this norm in which a linear function with this gradient rises
   * fastest. Zero where the gradient is zero.
   *
   * <p>Shape: [N,...] → [N,...].
   */
  Expr steepest(Expr gradient);

  /**
   * A point drawn uniformly from the ball around {@code x}; it may leave [0,1].
   *
   * @param x images [N,...]
   * @param key I32 [2]
   */
  Expr start(Expr x, Expr key);

  /**
   * A random point on the surface of the ball around {@code x}, as AutoAttack starts: a random
   * direction scaled to the radius in this norm; it may leave [0,1].
   *
   * @param x images [N,...]
   * @param key I32 [2]
   */
  Expr surface(Expr x, Expr key);
}
