package dev.vauban.meta;

import static dev.vauban.tensor.Grad.grad;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * MAML whose inner update is any optimiser, perhaps a learned one: with an LSTM it is a learned
 * fine-tuner (Zhao et al. 2020, <a href="https://arxiv.org/abs/2009.13714">arXiv 2009.13714</a>)
 * for the weights of a network, close to the LSTM meta-learner of Ravi and Larochelle (2017). Theta
 * has the subtrees {@code weights}, the network's initial ones, and {@code tuner}; both are
 * meta-learned. The adapted state is {@code weights}, the optimiser's {@code state} and the {@code
 * number} of steps taken.
 *
 * <p>Inner gradients count as constants (as in first-order MAML and in all papers on learned
 * optimisers); the meta-gradient goes through the optimiser's own computation.
 *
 * @param inner the loss that adaptation descends
 * @param outer the loss of the adapted weights
 * @param steps inner steps while training
 * @param tuner the inner update; where it would start is not used, since the network's weights are
 *     meta-learned
 * @param key where the tuner's initial weights come from
 */
public record TunedMaml(Loss inner, Loss outer, int steps, Tuner tuner, Key key)
    implements MetaLearner {
  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    return outer.of(weights(adapt(theta, task.support())), task.query());
  }

  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    Tree<Expr> weights = theta.sub("weights");
    return Tree.<Expr>empty()
        .with("weights", weights)
        .with("state", rule(theta).init(weights))
        .with("number", Expr.data(Type.i32(), 0));
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    Tree<Expr> weights = fast.sub("weights");
    Tree<Expr> g = grad(w -> inner.of(w, support), weights).map(Expr::stopGradient);
    Expr number = fast.get("number");
    Optimizer.Update u = rule(theta).update(weights, g, fast.sub("state"), number);
    return Tree.<Expr>empty()
        .with("weights", u.weights())
        .with("state", u.state())
        .with("number", number.add(1));
  }

  private Optimizer rule(Tree<Expr> theta) {
    return tuner.rule(theta.sub("tuner"));
  }

  @Override
  public Tree<Expr> weights(Tree<Expr> fast) {
    return fast.sub("weights");
  }

  @Override
  public Tree<Type> types(Tree<Type> weights) {
    return Tree.<Type>empty().with("weights", weights).with("tuner", Weight.types(tuner.weights()));
  }

  @Override
  public Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    return Tree.<Tensor>empty()
        .with("weights", weights)
        .with("tuner", Weight.init(tuner.weights(), scope, key));
  }
}
