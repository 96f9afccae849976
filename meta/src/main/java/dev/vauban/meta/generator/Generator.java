package dev.vauban.meta.generator;

import dev.vauban.nn.Conv;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Linear;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;

/**
 * A conditional decoder: an image and a latent vector to the sign of every pixel's change. The
 * image is looked at in three sizes; what was seen in each goes to the decoder's layer of the same
 * size. The network has no normalisation, so images of a batch do not mix.
 *
 * <p>The paper (Yin et al. 2023, section 3.2) uses a conditional Glow with 24 flows. The change
 * that it learns to make is a vertex of the ball, that is, a sign for every pixel; a flow gives a
 * density to real numbers, which such points do not have. A decoder says the probability of each
 * sign instead, is exact on what it is taught, and costs a hundredth of the flow.
 *
 * @param image shape of one image, [H,W,C], H and W at least 4
 * @param filters of the first layer, at least 1; the next sizes have two and four times as many
 * @param latents length of the latent vector, at least 1
 */
public record Generator(Shape image, int filters, int latents) {
  private static final String POSTERIOR = "posterior";

  /** Checks the ranges. */
  public Generator {
    if (image.rank() != 3 || image.dim(0) < 4 || image.dim(1) < 4) {
      throw new ShapeException(
          "a generator takes images [H,W,C] of at least 4x4 pixels, not " + image);
    }
    if (filters < 1 || latents < 1) {
      throw new IllegalArgumentException(
          "a generator has at least 1 filter and 1 latent, not %d and %d"
              .formatted(filters, latents));
    }
  }

  /**
   * Where latents come from in teaching.
   *
   * @param mean [N,latents]
   * @param logVariance [N,latents]
   */
  public record Posterior(Expr mean, Expr logVariance) {
    /** A draw from it: [N,latents]. */
    public Expr draw(Expr key) {
      return mean.add(logVariance.mul(0.5).exp().mul(key.normal(mean.shape())));
    }

    /** KL(posterior || standard normal) of each image: [N]. */
    public Expr divergence() {
      return logVariance.exp().add(mean.square()).sub(1).sub(logVariance).sum(-1).mul(0.5);
    }
  }

  /** The weights: {@code see1 to see3}, {@code meet}, {@code tell1 to tell3}, {@code posterior}. */
  public Tree<Weight> weights() {
    int c = image.dim(2);
    return looking(c)
        .with("meet", square(4).weights(channels(4 * filters + latents)))
        .with("tell3", square(2).weights(channels(6 * filters)))
        .with("tell2", square(1).weights(channels(3 * filters)))
        .with("tell1", last().weights(channels(filters)))
        .with(
            POSTERIOR,
            looking(2 * c)
                .with("mean", moment().weights(Shape.of(4 * filters)))
                .with("spread", moment().weights(Shape.of(4 * filters))));
  }

  private Tree<Weight> looking(int channels) {
    return Tree.<Weight>empty()
        .with("see1", square(1).weights(channels(channels)))
        .with("see2", halving(2).weights(channels(filters)))
        .with("see3", halving(4).weights(channels(2 * filters)));
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

  private Linear moment() {
    return Layers.linear(latents);
  }

  /**
   * Logits of a plus sign for every pixel.
   *
   * @param w the weights
   * @param x images [N,H,W,C] in [0,1]
   * @param z latents [N,latents]
   * @return [N,H,W,C]
   */
  public Expr signs(Tree<Expr> w, Expr x, Expr z) {
    Expr[] seen = look(w, x.sub(0.5));
    int n = x.shape().dim(0);
    Shape small = seen[2].shape();
    Expr everywhere =
        z.reshape(n, 1, 1, latents).broadcastTo(Shape.of(n, small.dim(1), small.dim(2), latents));
    Expr y = square(4).apply(w.sub("meet"), Expr.concat(3, seen[2], everywhere)).relu();
    y = square(2).apply(w.sub("tell3"), Expr.concat(3, doubled(y, seen[1]), seen[1])).relu();
    y = square(1).apply(w.sub("tell2"), Expr.concat(3, doubled(y, seen[0]), seen[0])).relu();
    return last().apply(w.sub("tell1"), y);
  }

  /**
   * The change in which to learn: {@code tanh} of the logits, a number in (-1,1) for each pixel.
   */
  public Expr softly(Tree<Expr> w, Expr x, Expr z) {
    return signs(w, x, z).tanh();
  }

  /**
   * The latents that may have led to a change.
   *
   * @param x images [N,H,W,C]
   * @param change signs [N,H,W,C], 0 where unknown
   */
  public Posterior posterior(Tree<Expr> w, Expr x, Expr change) {
    Tree<Expr> own = w.sub(POSTERIOR);
    Expr[] seen = look(own, Expr.concat(3, x.sub(0.5), change));
    Expr all = seen[2].mean(1, 2);
    return new Posterior(
        moment().apply(own.sub("mean"), all), moment().apply(own.sub("spread"), all).clamp(-8, 8));
  }

  private Expr[] look(Tree<Expr> w, Expr x) {
    Expr full = square(1).apply(w.sub("see1"), x).relu();
    Expr half = halving(2).apply(w.sub("see2"), full).relu();
    Expr quarter = halving(4).apply(w.sub("see3"), half).relu();
    return new Expr[] {full, half, quarter};
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
