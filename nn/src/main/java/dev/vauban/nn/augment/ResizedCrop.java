package dev.vauban.nn.augment;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;

/**
 * Cuts out a random window of the image and enlarges it to the image's size, bilinearly: the crop
 * of contrastive learning (Chen et al. 2020, SimCLR, appendix A).
 *
 * <p>Deviation from the usual code: a window that would leave the image is limited to it at once
 * instead of drawn again up to ten times; corners of the window fall on pixel centres.
 *
 * @param least smallest share of the area, above 0
 * @param most largest share of the area, at most 1
 * @param ratio the window's height over width lies in [1/ratio, ratio]; at least 1
 */
public record ResizedCrop(double least, double most, double ratio) implements Augmentation {
  /** Checks the ranges. */
  public ResizedCrop {
    Draw.range("smallest share of the area", least, 1e-3, 1);
    Draw.range("largest share of the area", most, least, 1);
    Draw.range("ratio of the sides", ratio, 1, 100);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    int n = x.shape().dim(0);
    Expr side = Draw.between(key.fold(0), x, least, most).sqrt();
    Expr skew = Draw.between(key.fold(1), x, -Math.log(ratio) / 2, Math.log(ratio) / 2).exp();
    Expr tall = side.mul(skew).min(1).reshape(n, 1, 1);
    Expr wide = side.div(skew).min(1).reshape(n, 1, 1);
    Type at = Type.i32(n, x.shape().dim(1), x.shape().dim(2));
    Expr row = along(at, 1, tall, key.fold(2).uniform(tall.shape()));
    Expr col = along(at, 2, wide, key.fold(3).uniform(wide.shape()));
    return Bilinear.sample(x, row, col);
  }

  /** Where each pixel of the result lies in the source, for a window of this share of the side. */
  private static Expr along(Type at, int axis, Expr share, Expr place) {
    int last = at.shape().dim(axis) - 1;
    Expr first = share.rsub(1).mul(place).mul(last);
    return Expr.iota(at, axis).cast(DType.F32).mul(share).add(first);
  }
}
