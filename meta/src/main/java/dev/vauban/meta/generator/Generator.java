package dev.vauban.meta.generator;

import dev.vauban.nn.Conv;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;

/**
 * A conditional decoder: an image to the probability of a plus sign of every pixel's change. The
 * image is looked at in three sizes; what was seen in each goes to the decoder's layer of the same
 * size. The network has no normalisation, so images of a batch do not mix.
 *
 * <p>The paper (Yin et al. 2023, section 3.2) uses a conditional Glow with 24 flows. The change
 * that it learns to make is a vertex of the ball, that is, a sign for every pixel; a flow gives a
 * density to real numbers, which such points do not have. A decoder gives each sign its
 * probability, is exact on what it is taught, and costs a hundredth of the flow. It has no latent
 * vector: taught by a bound with a posterior, it used one of 8 numbers for less than 0.01 nats an
 * image, because what an attack does to an image is nearly a function of the image.
 *
 * @param image shape of one image, [H,W,C], H and W at least 4
 * @param filters of the first layer, at least 1; the next sizes have two and four times as many
 */
public record Generator(Shape image, int filters) {
  /** Checks the ranges. */
  public Generator {
    if (image.rank() != 3 || image.dim(0) < 4 || image.dim(1) < 4) {
      throw new ShapeException(
          "a generator takes images [H,W,C] of at least 4x4 pixels, not " + image);
    }
    if (filters < 1) {
      throw new IllegalArgumentException("a generator has at least 1 filter, not " + filters);
    }
  }

  /** The weights: {@code see1 to see3}, {@code meet}, {@code tell1 to tell3}. */
  public Tree<Weight> weights() {
    return Tree.<Weight>empty()
        .with("see1", square(1).weights(channels(image.dim(2))))
        .with("see2", halving(2).weights(channels(filters)))
        .with("see3", halving(4).weights(channels(2 * filters)))
        .with("meet", square(4).weights(channels(4 * filters)))
        .with("tell3", square(2).weights(channels(6 * filters)))
        .with("tell2", square(1).weights(channels(3 * filters)))
        .with("tell1", last().weights(channels(filters)));
  }

  /** Any image of so many channels: a convolution's weights do not depend on its size. */
  private static Shape channels(int channels) {
    return Shape.of(8, 8, channels);
  }

  private Conv square(int times) {
    return Layers.conv(times * filters, 3, 1, 1);
  }

  private Conv halving(int times) {
    return Layers.conv(times * filters, 3, 2, 1);
  }

  private Conv last() {
    return Layers.conv(image.dim(2), 3, 1, 1);
  }

  /**
   * Logits of a plus sign for every pixel.
   *
   * @param w the weights
   * @param x images [N,H,W,C] in [0,1]
   * @return [N,H,W,C]
   */
  public Expr signs(Tree<Expr> w, Expr x) {
    Expr full = square(1).apply(w.sub("see1"), x.sub(0.5)).relu();
    Expr half = halving(2).apply(w.sub("see2"), full).relu();
    Expr quarter = halving(4).apply(w.sub("see3"), half).relu();
    Expr y = square(4).apply(w.sub("meet"), quarter).relu();
    y = square(2).apply(w.sub("tell3"), Expr.concat(3, doubled(y, half), half)).relu();
    y = square(1).apply(w.sub("tell2"), Expr.concat(3, doubled(y, full), full)).relu();
    return last().apply(w.sub("tell1"), y);
  }

  /** The change as one learns it, {@code tanh} of the logits: in (-1,1) for each pixel. */
  public Expr softly(Tree<Expr> w, Expr x) {
    return signs(w, x).tanh();
  }

  /** Every pixel four times, cut to the size of {@code like}. */
  private static Expr doubled(Expr y, Expr like) {
    int n = y.shape().dim(0);
    int h = y.shape().dim(1);
    int w = y.shape().dim(2);
    int c = y.shape().dim(3);
    return y.reshape(n, h, 1, w, 1, c)
        .broadcastTo(Shape.of(n, h, 2, w, 2, c))
        .reshape(n, 2 * h, 2 * w, c)
        .slice(1, 0, like.shape().dim(1))
        .slice(2, 0, like.shape().dim(2));
  }
}
