package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;

/**
 * A normalisation layer with learned {@code scale} (starts at 1) and {@code shift} (starts at 0).
 * Shape: unchanged.
 *
 * @param over which values share a mean and a variance
 * @param groups channel groups for {@link Over#GROUP}, else 1
 * @param eps added to the variance; more than 0
 */
public record Norm(Over over, int groups, double eps) implements Layer {
  /** Which values share a mean and a variance. */
  public enum Over {
    /**
     * Each channel over the whole batch, always the batch's own statistics and never running ones:
     * what every MAML implementation does, and what couples the images of a query batch.
     */
    BATCH,
    /** All values of one example. */
    LAYER,
    /** A group of channels of one example. */
    GROUP
  }

  /** Checks the ranges. */
  public Norm {
    if (groups < 1 || !(eps > 0)) {
      throw new ShapeException("norm: groups " + groups + " and eps " + eps + " are more than 0");
    }
  }

  @Override
  public String kind() {
    return "norm";
  }

  @Override
  public Shape output(Shape in) {
    if (in.rank() < 1) {
      throw new ShapeException(this + ": takes vectors or images, not a scalar");
    }
    if (in.dim(-1) % groups != 0) {
      throw new ShapeException(
          this + ": " + in.dim(-1) + " channels do not divide into " + groups + " groups");
    }
    return in;
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    output(in);
    int[] dims = over == Over.LAYER ? in.dims() : new int[] {in.dim(-1)};
    return Tree.of("scale", Weight.ones(dims), "shift", Weight.zeros(dims));
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    Expr scale = w.get("scale");
    Expr shift = w.get("shift");
    return switch (over) {
      case BATCH -> Normalize.batch(x, scale, shift, eps);
      case LAYER -> Normalize.layer(x, scale, shift, eps);
      case GROUP -> Normalize.group(x, groups, scale, shift, eps);
    };
  }

  /** For example {@code batch-norm}. */
  @Override
  public String toString() {
    return over.name().toLowerCase(java.util.Locale.ROOT) + "-norm";
  }
}
