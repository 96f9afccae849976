package dev.vauban.meta.generator;

import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;

/** How a {@link SurrogateGuide} makes candidates of what it knows. */
public interface Proposal {
  /** For tables: a name in lower case. */
  String name();

  /** What it carries from one group of images to the next; an empty tree for nothing. */
  Tree<Type> weights();

  /**
   * Candidates, and what is carried on.
   *
   * @param images [N,H,W,C] in [0,1]
   * @param weights of the types {@link #weights}
   */
  record Next(Expr images, Tree<Expr> weights) {}

  /**
   * Proposes, traced.
   *
   * @param weights what was carried on
   * @param surrogates their weights now
   * @param batch images [N,H,W,C] in [0,1], labels I32 [N], and a key of each image, I32 [N,2]
   * @param round 0 for the first candidates of these images, an I32 scalar
   */
  Next of(Tree<Expr> weights, Tree<Expr> surrogates, Batch<Expr> batch, Expr round);

  /**
   * Images that fool the surrogates: the plain transfer attack, without anything learned from other
   * images but what the surrogates learned.
   *
   * @param surrogates whom it attacks
   * @param attack how, for example momentum FGSM, which transfers well
   */
  record Transfer(Surrogates surrogates, Attack attack) implements Proposal {
    @Override
    public String name() {
      return "transfer";
    }

    @Override
    public Tree<Type> weights() {
      return Tree.empty();
    }

    @Override
    public Next of(Tree<Expr> weights, Tree<Expr> surrogate, Batch<Expr> batch, Expr round) {
      Expr images =
          Vmap.vmapToArray(
              e -> {
                Batch<Expr> one = Adaptation.one(e.get("x"), e.get("y"));
                Expr adv =
                    attack.perturb(
                        a -> surrogates.crossEntropy(surrogate, a, one.y()), one.x(), e.get("key"));
                return adv.reshape(e.get("x").shape());
              },
              each(batch));
      return new Next(images, weights);
    }
  }

  /**
   * The generator's answers after fine-tuning on each image (Yin et al. 2023, section 3.4): a copy
   * of its weights takes the {@link Adaptation}'s steps, its signs make the candidate, and the
   * weights carried on follow the mean of the copies by a share. The first candidate of an image is
   * the most likely one, later ones are drawn, sign by sign.
   *
   * @param adaptation how; its surrogates are the guide's
   * @param share of the way to the mean of the copies, 0 to 1; 0.2 in the paper, 0 begins with the
   *     same weights for every image
   */
  record Generated(Adaptation adaptation, double share) implements Proposal {
    /** Checks the share. */
    public Generated {
      if (!(share >= 0 && share <= 1)) {
        throw new IllegalArgumentException("a share is from 0 to 1, not " + share);
      }
    }

    @Override
    public String name() {
      return "mcg";
    }

    @Override
    public Tree<Type> weights() {
      return Weight.types(adaptation.generator().weights());
    }

    @Override
    public Next of(Tree<Expr> weights, Tree<Expr> surrogate, Batch<Expr> batch, Expr round) {
      Generator generator = adaptation.generator();
      Tree<Expr> each =
          Vmap.vmap(
              e -> {
                Batch<Expr> one = Adaptation.one(e.get("x"), e.get("y"));
                Tree<Expr> copy = adaptation.adapt(weights, surrogate, one);
                Expr logits = generator.signs(copy, one.x());
                Expr drawn = logits.sigmoid().sub(e.get("key").uniform(logits.shape())).sign();
                Expr isFirst = round.eq(0).cast(DType.F32);
                Expr signs = Expr.select(isFirst, logits.sign(), drawn);
                Expr adv = Lesson.changed(one.x(), signs, adaptation.eps());
                return Tree.<Expr>empty()
                    .with("copy", copy)
                    .with("image", adv.reshape(e.get("x").shape()));
              },
              each(batch));
      Tree<Expr> carried =
          weights.zip(each.sub("copy"), (w, c) -> w.add(c.mean(0).sub(w).mul(share)));
      return new Next(each.get("image"), carried);
    }
  }

  private static Tree<Expr> each(Batch<Expr> batch) {
    return Tree.of("x", batch.x(), "y", batch.y(), "key", batch.key());
  }
}
