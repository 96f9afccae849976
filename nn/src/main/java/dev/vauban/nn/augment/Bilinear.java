package dev.vauban.nn.augment;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;

/** Values between pixels. */
final class Bilinear {
  private Bilinear() {}

  /**
   * The images at these places; what lies outside counts 0.
   *
   * <p>Shape: x [N,H,W,C], rows and columns F32 [N,P,Q] → [N,P,Q,C]. Gradient: in the images.
   */
  static Expr sample(Expr x, Expr row, Expr col) {
    Expr top = row.floor();
    Expr left = col.floor();
    Expr down = row.sub(top);
    Expr right = col.sub(left);
    return corner(x, top, left, down.rsub(1).mul(right.rsub(1)))
        .add(corner(x, top, left.add(1), down.rsub(1).mul(right)))
        .add(corner(x, top.add(1), left, down.mul(right.rsub(1))))
        .add(corner(x, top.add(1), left.add(1), down.mul(right)));
  }

  /** The pixels at whole places, times a weight that is 0 outside the image. */
  private static Expr corner(Expr x, Expr row, Expr col, Expr weight) {
    int n = x.shape().dim(0);
    int h = x.shape().dim(1);
    int w = x.shape().dim(2);
    Expr r = row.clamp(0, h - 1);
    Expr c = col.clamp(0, w - 1);
    Expr inside = r.eq(row).mul(c.eq(col));
    Type at = Type.i32(row.shape().dims());
    Expr line = Expr.iota(at, 0).mul(h).add(r.cast(DType.I32));
    Expr index = line.mul(w).add(c.cast(DType.I32));
    Expr pixels = x.reshape(Shape.of(n * h * w, x.shape().dim(3))).gather(0, index);
    Expr share = weight.mul(inside).cast(x.dtype());
    return pixels.mul(share.reshape(n, row.shape().dim(1), row.shape().dim(2), 1));
  }
}
