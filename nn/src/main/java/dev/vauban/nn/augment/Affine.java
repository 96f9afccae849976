package dev.vauban.nn.augment;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;

/**
 * A random rotation, scaling, shear and shift about the centre of the image, with bilinear
 * interpolation and zeros from outside.
 *
 * <p>A pixel at offset v from the centre takes the value at {@code R(-angle) S v / scale - shift},
 * where S shears rows by {@code tan(shear)}: the inverse of rotating, scaling and shifting.
 *
 * @param degrees largest rotation either way, 0 to 180
 * @param shift largest shift either way along each axis, in pixels
 * @param least smallest scale, above 0
 * @param most largest scale, at least {@code least}
 * @param shear largest shear angle either way in degrees, 0 to 45
 */
public record Affine(double degrees, double shift, double least, double most, double shear)
    implements Augmentation {
  /** Checks the ranges. */
  public Affine {
    Draw.range("rotation in degrees", degrees, 0, 180);
    Draw.range("shift in pixels", shift, 0, 1024);
    Draw.range("smallest scale", least, 1e-3, 1e3);
    Draw.range("largest scale", most, least, 1e3);
    Draw.range("shear in degrees", shear, 0, 45);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    int n = x.shape().dim(0);
    Expr angle = Draw.between(key.fold(0), x, -Math.toRadians(degrees), Math.toRadians(degrees));
    Expr zoom = logUniform(key.fold(1), x);
    Expr down = Draw.between(key.fold(2), x, -shift, shift).reshape(n, 1, 1);
    Expr right = Draw.between(key.fold(3), x, -shift, shift).reshape(n, 1, 1);
    Expr skew = Draw.between(key.fold(4), x, -Math.toRadians(shear), Math.toRadians(shear));
    Expr tan = skew.sin().div(skew.cos()).reshape(n, 1, 1);
    Type at = Type.i32(n, x.shape().dim(1), x.shape().dim(2));
    double middleRow = (x.shape().dim(1) - 1) / 2.0;
    double middleCol = (x.shape().dim(2) - 1) / 2.0;
    Expr i = Expr.iota(at, 1).cast(DType.F32).sub(middleRow);
    Expr j = Expr.iota(at, 2).cast(DType.F32).sub(middleCol);
    j = j.add(i.mul(tan));
    Expr cos = angle.cos().div(zoom).reshape(n, 1, 1);
    Expr sin = angle.sin().div(zoom).reshape(n, 1, 1);
    Expr row = i.mul(cos).add(j.mul(sin)).sub(down).add(middleRow);
    Expr col = j.mul(cos).sub(i.mul(sin)).sub(right).add(middleCol);
    return Bilinear.sample(x, row, col);
  }

  /** As likely to halve as to double. */
  private Expr logUniform(Expr key, Expr x) {
    return Draw.between(key, x, Math.log(least), Math.log(most)).exp();
  }
}
