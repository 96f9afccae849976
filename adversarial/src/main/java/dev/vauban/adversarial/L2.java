package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;

/**
 * The Euclidean length of the change of an image is at most the radius.
 *
 * @param radius a scalar, at least 0
 */
public record L2(Expr radius) implements Ball {
  // Keeps a zero gradient a zero direction; part of the published definition.
  private static final double GUARD = 1e-12;

  /**
   * A ball of constant radius.
   *
   * @param radius at least 0, for example 0.5 for 32x32 images
   * @throws IllegalArgumentException if the radius is negative or not finite
   */
  public L2(double radius) {
    this(Radius.constant(radius, Double.MAX_VALUE));
  }

  /** The change scaled down to the radius where it is longer. */
  @Override
  public Expr project(Expr adv, Expr x) {
    Expr delta = adv.sub(x);
    Expr shrink = Radius.like(radius, x).div(PerImage.length(delta).add(GUARD)).min(1);
    return x.add(delta.mul(shrink));
  }

  /** The gradient over its length, per image. Gradients far below 1e-12 count as zero. */
  @Override
  public Expr steepest(Expr gradient) {
    return gradient.div(PerImage.length(gradient).add(GUARD));
  }

  /** Uniform in volume: a normal direction, and a distance radius * u^(1/d). */
  @Override
  public Expr start(Expr x, Expr key) {
    double d = (double) x.shape().size() / x.shape().dim(0);
    Expr direction = steepest(key.fold(0).normal(x.shape()).cast(x.dtype()));
    Expr u = key.fold(1).uniform(x.shape()).cast(x.dtype());
    // One draw per image: the first pixel's, so that image i sees the same numbers in any batch.
    Expr distance = PerImage.first(u).pow(1 / d).mul(Radius.like(radius, x));
    return x.add(direction.mul(distance));
  }

  /** Uniform on the sphere. */
  @Override
  public Expr surface(Expr x, Expr key) {
    Expr direction = steepest(key.normal(x.shape()).cast(x.dtype()));
    return x.add(direction.mul(Radius.like(radius, x)));
  }

  @Override
  public String toString() {
    return "L2(" + Radius.text(radius) + ")";
  }
}
