package dev.vauban.meta.generator;

import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.TrainingStep.Slope;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Vmap;

/**
 * Stage 2 (Yin et al. 2023, section 3.3, Algorithm 1): Reptile over images. Every image is a task:
 * some steps of Adam on the surrogates' {@link Surrogates#lead} bring a copy of the weights to
 * where they attack that image, and the weights follow the mean of the copies. The gradient is
 * {@code weights - mean of copies}; the paper's outer step, {@code 2 eta / steps} of the way to the
 * copies, is gradient descent at this rate.
 *
 * @param generator whom it is for
 * @param surrogates whom it attacks
 * @param eps radius in Linf
 * @param kappa by how many logits a surrogate shall be wrong, at least 0; 5 in the paper
 * @param steps inner steps, at least 1; 3 to 5 in the paper
 * @param rate Adam's inner rate; 4e-4 in the paper
 */
public record Adaptation(
    Generator generator, Surrogates surrogates, double eps, double kappa, int steps, double rate)
    implements Lesson {
  /** Checks the ranges. */
  public Adaptation {
    new Linf(eps);
    if (!(kappa >= 0) || steps < 1 || !(rate > 0)) {
      throw new IllegalArgumentException(
          "adaptation has a kappa of at least 0, at least 1 step and a rate above 0, not %s, %d, %s"
              .formatted(kappa, steps, rate));
    }
  }

  @Override
  public Slope slope(Tree<Expr> weights, Tree<Expr> surrogate, Batch<Expr> batch) {
    Tree<Expr> each =
        Vmap.vmap(
            e -> {
              Batch<Expr> one = one(e.get("x"), e.get("y"));
              Tree<Expr> copy = adapt(weights, surrogate, one);
              return Tree.<Expr>empty()
                  .with("away", weights.zip(copy, Expr::sub))
                  .with("loss", loss(copy, surrogate, one))
                  .with("fooled", fooled(copy, surrogate, one));
            },
            Tree.of("x", batch.x(), "y", batch.y()));
    Tree<Expr> metrics =
        Tree.of("loss", each.get("loss").mean(), "fooled", each.get("fooled").mean());
    return new Slope(each.sub("away").map(w -> w.mean(0)), metrics);
  }

  /** A batch of one image [H,W,C] and its label. */
  static Batch<Expr> one(Expr x, Expr y) {
    return new Batch<>(x.reshape(x.shape().prepend(1)), y.reshape(1));
  }

  /**
   * The weights after the inner steps on one image.
   *
   * @param one the image, [1,H,W,C], and its label
   */
  Tree<Expr> adapt(Tree<Expr> weights, Tree<Expr> surrogate, Batch<Expr> one) {
    Optimizer adam = Optimizers.adam(rate);
    Tree<Expr> start =
        Tree.<Expr>empty().with("weights", weights).with("state", adam.init(weights));
    return Vmap.repeat(
            steps,
            start,
            (number, at) -> {
              Tree<Expr> w = at.sub("weights");
              Tree<Expr> g = Grad.grad(v -> loss(v, surrogate, one), w);
              Optimizer.Update u = adam.update(w, g, at.sub("state"), number);
              return Tree.<Expr>empty().with("weights", u.weights()).with("state", u.state());
            })
        .sub("weights");
  }

  private Expr loss(Tree<Expr> w, Tree<Expr> surrogate, Batch<Expr> one) {
    Expr adv = Lesson.changed(one.x(), generator.softly(w, one.x()), eps);
    return surrogates.lead(surrogate, adv, one.y(), kappa).mean();
  }

  private Expr fooled(Tree<Expr> w, Tree<Expr> surrogate, Batch<Expr> one) {
    Expr adv = Lesson.changed(one.x(), generator.signs(w, one.x()).sign(), eps);
    return surrogates.fooled(surrogate, adv, one.y()).mean();
  }
}
