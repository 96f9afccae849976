package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;

/**
 * Random brightness, contrast, saturation and hue, in this order; images of one channel take
 * brightness and contrast alone.
 *
 * <p>Brightness multiplies by a factor from [1-b, 1+b], contrast mixes with the image's mean
 * brightness, saturation with its grey version, each by such a factor, and the result is limited to
 * [0,1] after each, as in torchvision. Deviations from it: the order is fixed; the hue turns the
 * colour plane of YIQ instead of the hexagon of HSV, which is linear and so differentiable.
 *
 * @param brightness b, 0 to 1
 * @param contrast the same for contrast
 * @param saturation the same for saturation
 * @param hue largest turn either way, as a share of the circle, 0 to 0.5
 */
public record ColourJitter(double brightness, double contrast, double saturation, double hue)
    implements Augmentation {
  /** Red, green and blue to brightness (Rec. 601) and the two axes of the colour plane. */
  private static final double[] TO_YIQ = {
    0.299, 0.587, 0.114, 0.595716, -0.274453, -0.321263, 0.211456, -0.522591, 0.311135
  };

  private static final double[] FROM_YIQ = {
    1, 0.9563, 0.6210, 1, -0.2721, -0.6474, 1, -1.1070, 1.7046
  };

  /** Checks the ranges. */
  public ColourJitter {
    Draw.range("brightness", brightness, 0, 1);
    Draw.range("contrast", contrast, 0, 1);
    Draw.range("saturation", saturation, 0, 1);
    Draw.range("hue", hue, 0, 0.5);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    Expr y = x.mul(factor(key.fold(0), x, brightness)).clamp(0, 1);
    Expr mean = grey(y).mean(1, 2).reshape(x.shape().dim(0), 1, 1, 1);
    y = mixed(y, mean, factor(key.fold(1), x, contrast));
    if (x.shape().dim(3) != 3) {
      return y;
    }
    y = mixed(y, grey(y), factor(key.fold(2), x, saturation));
    return hue == 0 ? y : turned(y, key.fold(3)).clamp(0, 1);
  }

  private static Expr factor(Expr key, Expr x, double spread) {
    return Draw.beside(Draw.between(key, x, 1 - spread, 1 + spread), x);
  }

  private static Expr mixed(Expr x, Expr other, Expr share) {
    return x.mul(share).add(other.mul(share.rsub(1))).clamp(0, 1);
  }

  /** Brightness, [N,H,W,1]. */
  static Expr grey(Expr x) {
    if (x.shape().dim(3) != 3) {
      return x;
    }
    Expr y = channel(x, 0).mul(TO_YIQ[0]).add(channel(x, 1).mul(TO_YIQ[1]));
    return y.add(channel(x, 2).mul(TO_YIQ[2]));
  }

  private static Expr channel(Expr x, int c) {
    return x.slice(3, c, c + 1);
  }

  private Expr turned(Expr x, Expr key) {
    Expr angle = Draw.between(key, x, -2 * Math.PI * hue, 2 * Math.PI * hue);
    Expr cos = Draw.beside(angle.cos(), x);
    Expr sin = Draw.beside(angle.sin(), x);
    Expr yiq = linear(x, TO_YIQ);
    Expr i = channel(yiq, 1);
    Expr q = channel(yiq, 2);
    Expr turned =
        Expr.concat(3, channel(yiq, 0), i.mul(cos).sub(q.mul(sin)), i.mul(sin).add(q.mul(cos)));
    return linear(turned, FROM_YIQ);
  }

  /** Every pixel times a matrix given row by row. */
  private static Expr linear(Expr x, double[] rows) {
    int pixels = (int) (x.shape().size() / 3);
    Expr matrix = Expr.data(new Type(x.dtype(), Shape.of(3, 3)), rows);
    return x.reshape(pixels, 3).matmul(matrix.transpose()).reshape(x.shape());
  }
}
