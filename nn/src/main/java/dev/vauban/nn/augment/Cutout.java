package dev.vauban.nn.augment;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;

/**
 * Blackens a square around a random pixel; at the border part of it lies outside (DeVries and
 * Taylor 2017, <a href="https://arxiv.org/abs/1708.04552">arXiv 1708.04552</a>).
 *
 * @param size the square's side in pixels, at least 1
 */
public record Cutout(int size) implements Augmentation {
  /** Checks the size. */
  public Cutout {
    Draw.range("cutout size", size, 1, 1024);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    int h = x.shape().dim(1);
    int w = x.shape().dim(2);
    Type at = Type.i32(x.shape().dim(0), h, w, 1);
    Expr rows = hit(Expr.iota(at, 1), Draw.whole(key.fold(0), x, 0, h - 1));
    Expr cols = hit(Expr.iota(at, 2), Draw.whole(key.fold(1), x, 0, w - 1));
    Expr kept = rows.mul(cols).cast(DType.F32).rsub(1);
    return x.mul(kept.cast(x.dtype()));
  }

  /** Whether a place lies in [centre - size/2, centre - size/2 + size). */
  private Expr hit(Expr place, Expr centre) {
    Expr first = centre.reshape(centre.shape().dim(0), 1, 1, 1).sub(size / 2);
    return place.ge(first).mul(place.lt(first.add(size)));
  }
}
