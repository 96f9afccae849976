package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Prototypes;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * Prototypical networks (Snell, Swersky, Zemel 2017, <a
 * href="https://arxiv.org/abs/1703.05175">arXiv 1703.05175</a>, Algorithm 1): a class is the mean
 * embedding of its support images (eq. 1), a query belongs to the nearest one by squared Euclidean
 * distance (eq. 2). Adaptation is done at once, in {@link #start}; there are no steps. Training
 * usually has more ways than the test, 60 in the paper on Omniglot.
 *
 * <p>Theta is the network's body. The adapted state is {@code weights} and {@code prototypes}, so
 * an attack on queries sees prototypes of the clean support images as constants, as in adversarial
 * querying.
 *
 * <p>Deviation from the authors' code: support and query images are normalised as two batches, in
 * training as in the test (they normalise them together in training and by running statistics in
 * the test), like all methods here.
 *
 * @param model the network; its head has no part
 * @param outer the loss of an adapted state on queries; {@link #loss}, or a defence of it
 * @param ways classes of an episode
 */
public record ProtoNet(Model model, Loss outer, int ways) implements MetaLearner {
  private static final String WEIGHTS = "weights";
  private static final String PROTOTYPES = "prototypes";

  /** The mean cross-entropy of queries against prototypes, of an adapted state. */
  public static Loss loss(Model model) {
    return (fast, b) -> Losses.crossEntropy(classify(model, fast, b.x()), b.y()).mean();
  }

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    return outer.of(start(theta, task.support()), task.query());
  }

  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    Expr prototypes = Prototypes.of(embed(model, theta, support.x()), support.y(), ways);
    return Tree.<Expr>empty().with(WEIGHTS, theta).with(PROTOTYPES, prototypes);
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
    return Prototypes.logits(embed(model, fast.sub(WEIGHTS), x), fast.get(PROTOTYPES));
  }

  private static Expr embed(Model model, Tree<Expr> w, Expr x) {
    return model.features(w, x).reshape(x.shape().dim(0), -1);
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
