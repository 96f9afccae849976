package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;

/**
 * Mirrors left and right. Not for characters, whose mirror image is another one.
 *
 * @param probability of a change, 0 to 1
 */
public record Flip(double probability) implements Augmentation {
  /** Checks the probability. */
  public Flip {
    Draw.probability("flip", probability);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    int w = x.shape().dim(2);
    Expr mirrored = x.gather(2, Expr.iota(Type.i32(w), 0).rsub(w - 1));
    return Draw.where(Draw.chance(key, x, probability), mirrored, x);
  }
}
