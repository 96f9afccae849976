package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;

/**
 * Every pixel may change by at most the radius.
 *
 * @param radius a scalar in [0,1]
 */
public record Linf(Expr radius) implements Ball {
  private static final double GUARD = 1e-12; // AutoAttack's

  /**
   * A ball of constant radius.
   *
   * @param radius in [0,1], for example {@code 8 / 255.0}
   * @throws IllegalArgumentException if the radius is outside [0,1]
   */
  public Linf(double radius) {
    this(Radius.constant(radius, 1));
  }

  @Override
  public Expr project(Expr adv, Expr x) {
    Expr r = Radius.like(radius, x);
    return adv.clamp(x.sub(r), x.add(r));
  }

  /** The sign, 0 where the gradient is 0. */
  @Override
  public Expr steepest(Expr gradient) {
    return gradient.sign();
  }

  @Override
  public Expr start(Expr x, Expr key) {
    Expr u = key.uniform(x.shape()).cast(x.dtype());
    return x.add(u.mul(2).sub(1).mul(Radius.like(radius, x)));
  }

  /** Uniform in the cube, scaled until its largest pixel is on the surface. */
  @Override
  public Expr surface(Expr x, Expr key) {
    Expr u = key.uniform(x.shape()).cast(x.dtype()).mul(2).sub(1);
    Expr scale = Radius.like(radius, x).div(PerImage.maxAbs(u).add(GUARD));
    return x.add(u.mul(scale));
  }

  @Override
  public String toString() {
    return "Linf(" + Radius.text(radius) + ")";
  }
}
