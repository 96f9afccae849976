package dev.vauban.meta;

import static dev.vauban.tensor.Grad.grad;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;

/**
 * Meta-SGD (Li et al. 2017, <a href="https://arxiv.org/abs/1707.09835">arXiv 1707.09835</a>,
 * Algorithm 1): MAML that learns a step size for every single weight. Theta has the subtrees {@code
 * weights} and {@code rates}.
 *
 * @param inner the loss that adaptation descends
 * @param outer the loss of the adapted weights
 * @param steps inner steps; the paper's is 1
 * @param rate where every step size starts
 */
public record MetaSgd(Loss inner, Loss outer, int steps, double rate) implements MetaLearner {
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    return outer.of(adapt(theta, task.support()), task.query());
  }

  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    return theta.sub("weights");
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    Tree<Expr> g = grad(w -> inner.of(w, support), fast);
    Tree<Expr> step = theta.sub("rates").zip(g, Expr::mul); // alpha o grad, eq. 2
    return fast.zip(step, Expr::sub);
  }

  @Override
  public Tree<Type> types(Tree<Type> weights) {
    return Tree.<Type>empty().with("weights", weights).with("rates", weights);
  }

  @Override
  public Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    Tree<Tensor> rates = weights.map(w -> constant(scope.tensor(w.type())));
    return Tree.<Tensor>empty().with("weights", weights).with("rates", rates);
  }

  private Tensor constant(Tensor t) {
    double[] values = new double[Math.toIntExact(t.size())];
    Arrays.fill(values, rate);
    return t.set(values);
  }
}
