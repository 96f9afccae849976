package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.repeat;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Similarity;
import dev.vauban.nn.Softmax;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;

/**
 * A good embedding is all one needs: RFS (Tian, Wang, Krishnan, Tenenbaum, Isola 2020, <a
 * href="https://arxiv.org/abs/2003.11539">arXiv 2003.11539</a>, section 3). An embedding that was
 * trained to tell all training classes apart ({@link EmbeddingTrainer}) is kept as it is; each
 * episode fits a multinomial logistic regression to the normalised features of its support images,
 * with scikit-learn's objective {@code |W|^2 / 2 + sum of cross-entropies} (C = 1; the bias is
 * free).
 *
 * <p>The fit is a fixed number of accelerated gradient steps from 0 (Nesterov's) inside the plan,
 * and attacks on queries go through the fitted head, which does not depend on the queries: no
 * gradient through the fit is needed for them. {@link #taskLoss} unrolls the same steps, and so can
 * be differentiated through the fit, back to the support images and to the embedding. Theta is the
 * network's body; the adapted state is {@code weights}, {@code fit/w} and {@code fit/b}.
 *
 * <p>Deviations from the authors' code, which calls scikit-learn's LBFGS on features under running
 * batch norm statistics: another way to the optimum of the same convex objective, and batches that
 * are normalised by their own statistics like with all methods here.
 *
 * @param model the network; its head has no part
 * @param ways classes of an episode
 * @param augmentation makes further copies of the support images
 * @param copies of each support image, at least 1, the first unchanged; 5 in the authors' code
 * @param iterations of the fit, at least 1
 */
public record LogisticHead(
    Model model, int ways, Augmentation augmentation, int copies, int iterations)
    implements MetaLearner {
  /** Brings 125 support features to within 1e-4 of the optimum. */
  public static final int USUAL_ITERATIONS = 200;

  private static final String WEIGHTS = "weights";
  private static final String FIT = "fit";

  /** Checks the ranges. */
  public LogisticHead {
    if (copies < 1 || iterations < 1) {
      throw new IllegalArgumentException(
          "a fit needs at least 1 copy and 1 iteration, not " + copies + " and " + iterations);
    }
  }

  /** Fitted to the support images as they are. */
  public LogisticHead(Model model, int ways) {
    this(model, ways, Augmentation.none(), 1, USUAL_ITERATIONS);
  }

  /** The mean cross-entropy of an adapted state. */
  public static Loss loss(Model model) {
    return (fast, b) -> Losses.crossEntropy(classify(model, fast, b.x()), b.y()).mean();
  }

  /**
   * The queries' loss through the fit, for who wants to meta-train the embedding: here the fit's
   * iterations are written out one by one, so that they have a gradient.
   */
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Regression regression = regression(theta, task.support());
    Tree<Expr> state = regression.start();
    for (int k = 0; k < iterations; k++) {
      state = regression.next(state);
    }
    return loss(model).of(fitted(theta, state), task.query());
  }

  /** Fits the head. */
  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    return fitted(theta, regression(theta, support).solve(iterations));
  }

  private static Tree<Expr> fitted(Tree<Expr> theta, Tree<Expr> state) {
    return Tree.<Expr>empty().with(WEIGHTS, theta).with(FIT, state.sub(Regression.NOW));
  }

  private Regression regression(Tree<Expr> theta, Batch<Expr> support) {
    Expr[] x = new Expr[copies];
    Expr[] y = new Expr[copies];
    x[0] = support.x();
    for (int i = 1; i < copies; i++) {
      x[i] = augmentation.apply(support.x(), support.key().fold(i));
    }
    Arrays.fill(y, support.y());
    return new Regression(embed(model, theta, Expr.concat(0, x)), Expr.concat(0, y), ways);
  }

  /**
   * A multinomial logistic regression, to be solved by Nesterov's iterations.
   *
   * @param z features of length at most 1, [N,D]
   * @param labels I32 [N]
   * @param ways number of classes
   */
  record Regression(Expr z, Expr labels, int ways) {
    /** The part of a state that holds {@code w} [D,ways] and {@code b} [ways]. */
    static final String NOW = "now";

    private static final String BEFORE = "before";

    /** A lower bound of the objective's curvature: 1 in W, less along the bias. */
    private static final double LEAST_CURVATURE = 0.5;

    Tree<Expr> start() {
      Tree<Expr> zero =
          Tree.of(
              "w", Expr.fill(z.type().with(Shape.of(z.shape().dim(1), ways)), 0),
              "b", Expr.fill(z.type().with(Shape.of(ways)), 0));
      return Tree.<Expr>empty().with(NOW, zero).with(BEFORE, zero);
    }

    Tree<Expr> next(Tree<Expr> state) {
      // The cross-entropy curves by at most |(z,1)|^2 / 2 = 1 a row; 1 more is the penalty's.
      double most = z.shape().dim(0) + 1.0;
      double root = Math.sqrt(most / LEAST_CURVATURE);
      double momentum = (root - 1) / (root + 1);
      Tree<Expr> ahead =
          state.sub(NOW).zip(state.sub(BEFORE), (a, b) -> a.add(a.sub(b).mul(momentum)));
      Expr logits = z.matmul(ahead.get("w")).add(ahead.get("b"));
      Expr slope = Softmax.of(logits, -1).sub(labels.oneHot(ways).cast(z.dtype()));
      Expr ofW = z.transpose().matmul(slope).add(ahead.get("w"));
      Tree<Expr> next =
          Tree.of(
              "w", ahead.get("w").sub(ofW.mul(1 / most)),
              "b", ahead.get("b").sub(slope.sum(0).mul(1 / most)));
      return Tree.<Expr>empty().with(NOW, next).with(BEFORE, state.sub(NOW));
    }

    /** As a loop of constant size, which has no gradient. */
    Tree<Expr> solve(int iterations) {
      return repeat(iterations, start(), (k, s) -> next(s));
    }
  }

  /** The state as it is: nothing more is to be learned from the support set. */
  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    return fast;
  }

  @Override
  public int steps() {
    return 0;
  }

  @Override
  public Expr logits(Model network, Tree<Expr> fast, Expr x) {
    return classify(network, fast, x);
  }

  @Override
  public Tree<Expr> weights(Tree<Expr> fast) {
    return fast.sub(WEIGHTS);
  }

  private static Expr classify(Model model, Tree<Expr> fast, Expr x) {
    Expr z = embed(model, fast.sub(WEIGHTS), x);
    return z.matmul(fast.get(FIT + "/w")).add(fast.get(FIT + "/b"));
  }

  private static Expr embed(Model model, Tree<Expr> w, Expr x) {
    return Similarity.normalize(model.features(w, x).reshape(x.shape().dim(0), -1));
  }

  @Override
  public Tree<Type> types(Tree<Type> weights) {
    return Tree.of("body", weights.sub("body"));
  }

  @Override
  public Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    return Tree.of("body", weights.sub("body"));
  }
}
