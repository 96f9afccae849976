package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Vmap;
import java.util.function.UnaryOperator;

/**
 * The worst of several runs of an attack with independent keys, and of the image itself: the result
 * is never weaker than no attack. Run r uses the key folded with r, so more restarts only add
 * candidates.
 *
 * <p>"Worst" is the highest loss. To count an image as robust only if it survives every restart,
 * give the margin (largest other logit minus the label's) as the loss: it is positive exactly where
 * the image is misclassified, while the cross-entropy can prefer a candidate that is still right.
 *
 * @param attack what to run
 * @param times how often, at least 1
 * @param keep who is compared: see {@link Keep}
 */
public record Restarts(Attack attack, int times, Keep keep) implements Attack {
  /** What competes with what. */
  public enum Keep {
    /**
     * Each image keeps its own worst candidate; needs a loss per image. Right where images do not
     * mix. With batch statistics the images kept come from different batches and their loss
     * together can differ from what was seen.
     */
    IMAGE,
    /** The whole batch of the run with the highest summed loss is kept, so nothing is mixed. */
    BATCH
  }

  /** Checks the number of restarts. */
  public Restarts {
    if (times < 1) {
      throw new IllegalArgumentException("an attack needs at least 1 restart, not " + times);
    }
  }

  @Override
  public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
    Tree<Expr> state = Tree.of("adv", x, "worst", score(loss, x));
    return Vmap.repeat(times, state, (r, s) -> worse(loss, x, key.fold(r), s))
        .get("adv")
        .stopGradient();
  }

  private Tree<Expr> worse(UnaryOperator<Expr> loss, Expr x, Expr key, Tree<Expr> kept) {
    Expr adv = attack.perturb(loss, x, key);
    Expr score = score(loss, adv);
    Expr better = score.gt(kept.get("worst"));
    return Tree.of(
        "adv", Expr.select(PerImage.against(better, x), adv, kept.get("adv")),
        "worst", Expr.select(better, score, kept.get("worst")));
  }

  private Expr score(UnaryOperator<Expr> loss, Expr x) {
    Expr each = loss.apply(x);
    if (keep == Keep.BATCH) {
      return each.shape().rank() == 0 ? each : each.sum();
    }
    if (each.shape().rank() != 1 || each.shape().dim(0) != x.shape().dim(0)) {
      throw new IllegalArgumentException(
          "restarts per image need one loss per image, ["
              + x.shape().dim(0)
              + "], not "
              + each.shape()
              + "; give such a loss or keep whole batches");
    }
    return each;
  }

  @Override
  public boolean beginsAtImage() {
    return attack.beginsAtImage();
  }

  @Override
  public String toString() {
    return attack + " x " + times + " restarts";
  }
}
