package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;

/**
 * Surrounds an image with zeros and cuts out a random window of its size: a shift by up to {@code
 * padding} whole pixels each way.
 *
 * @param padding in pixels, at least 0
 */
public record Crop(int padding) implements Augmentation {
  /** Checks the padding. */
  public Crop {
    Draw.range("crop padding", padding, 0, 1024);
  }

  @Override
  public Expr apply(Expr x, Expr key) {
    int n = x.shape().dim(0);
    int h = x.shape().dim(1);
    int w = x.shape().dim(2);
    int c = x.shape().dim(3);
    int high = h + 2 * padding;
    int wide = w + 2 * padding;
    Expr padded =
        x.pad(
            new int[] {0, padding, padding, 0},
            new int[] {0, padding, padding, 0},
            new int[] {0, 0, 0, 0});
    Type at = Type.i32(n, h, w);
    Expr top = Draw.whole(key.fold(0), x, 0, 2 * padding).reshape(n, 1, 1);
    Expr left = Draw.whole(key.fold(1), x, 0, 2 * padding).reshape(n, 1, 1);
    Expr row = Expr.iota(at, 0).mul(high).add(Expr.iota(at, 1)).add(top);
    Expr index = row.mul(wide).add(Expr.iota(at, 2)).add(left);
    return padded.reshape(Shape.of(n * high * wide, c)).gather(0, index);
  }
}
