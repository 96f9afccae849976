package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;

/**
 * Takes the colour away: all channels become the brightness (Rec. 601). Images of one channel stay.
 *
 * @param probability of a change, 0 to 1
 */
public record Grey(double probability) implements Augmentation {
  /** Checks the probability. */
  public Grey {
    Draw.probability("grey", probability);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    Expr grey = ColourJitter.grey(x).broadcastTo(x.shape());
    return Draw.where(Draw.chance(key, x, probability), grey, x);
  }
}
