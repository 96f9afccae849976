package dev.vauban.meta.generator;

import dev.vauban.nn.Losses;
import dev.vauban.nn.Margins;
import dev.vauban.nn.Model;
import dev.vauban.nn.Softmax;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.List;
import java.util.function.Function;

/**
 * Networks of one's own that stand for a model which only answers: an ensemble whose members count
 * alike. Their weights are one tree, {@code s0/...}, {@code s1/...}.
 *
 * @param models the networks, at least one, for the same images and classes, without batch norms:
 *     each image is judged on its own
 */
public record Surrogates(List<Model> models) {
  /** Checks that the networks fit one another. */
  public Surrogates {
    models = List.copyOf(models);
    if (models.isEmpty()) {
      throw new IllegalArgumentException("at least 1 surrogate is needed");
    }
    for (Model model : models) {
      if (!model.input().equals(models.getFirst().input())
          || !model.outputShape().equals(models.getFirst().outputShape())) {
        throw new ShapeException(
            "surrogates judge the same images and classes, not %s and %s"
                .formatted(models.getFirst(), model));
      }
      if (!model.batchNorms().isEmpty()) {
        throw new IllegalArgumentException(
            "a surrogate has no batch norms, unlike "
                + model.name()
                + "; take a network such as cnn-16-32-64 or mlp-256-128");
      }
    }
  }

  /** Shape of one image, [H,W,C]. */
  public Shape image() {
    return models.getFirst().input();
  }

  /** How many classes they tell apart. */
  public int classes() {
    return models.getFirst().outputShape().dim(-1);
  }

  /** The name of a member's weights. */
  public static String name(int member) {
    return "s" + member;
  }

  /** The types of all weights. */
  public Tree<Type> types() {
    Tree<Type> all = Tree.empty();
    for (int s = 0; s < models.size(); s++) {
      all = all.with(name(s), models.get(s).types());
    }
    return all;
  }

  /**
   * The mean cross-entropy, what attacks raise.
   *
   * @param x images [N,H,W,C]
   * @param y labels I32 [N]
   * @return [N]
   */
  public Expr crossEntropy(Tree<Expr> weights, Expr x, Expr y) {
    return mean(weights, x, logits -> Losses.crossEntropy(logits, y));
  }

  /**
   * The mean of {@code max(lead + kappa, 0) - kappa}, where the lead is the true class's logit
   * minus the best of the others: what a generator lowers (Yin et al. 2023, eq. 3). It is at least
   * {@code -kappa}: a sure success is worth no more.
   *
   * @return [N]
   */
  public Expr lead(Tree<Expr> weights, Expr x, Expr y, double kappa) {
    return mean(weights, x, logits -> Margins.margin(logits, y).neg().add(kappa).relu().sub(kappa));
  }

  /** The share of members that are fooled: [N]. */
  public Expr fooled(Tree<Expr> weights, Expr x, Expr y) {
    return mean(weights, x, logits -> Losses.correct(logits, y).neg().add(1));
  }

  /**
   * The mean squared difference to what the other model said.
   *
   * @param p its probabilities [N,classes]
   * @return [N]
   */
  public Expr difference(Tree<Expr> weights, Expr x, Expr p) {
    return mean(weights, x, logits -> Softmax.log(logits, -1).exp().sub(p).square().sum(-1));
  }

  private Expr mean(Tree<Expr> weights, Expr x, Function<Expr, Expr> of) {
    Expr total = null;
    for (int s = 0; s < models.size(); s++) {
      Expr one = of.apply(models.get(s).logits(weights.sub(name(s)), x));
      total = total == null ? one : total.add(one);
    }
    return total.div(models.size());
  }
}
