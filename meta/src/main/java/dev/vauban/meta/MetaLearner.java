package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.vmapToArray;

import dev.vauban.nn.Batch;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A way to learn weights from which a few steps suffice. The meta-parameters theta are a tree; for
 * most methods they are the network's weights themselves.
 */
public interface MetaLearner {
  /**
   * What meta-training minimises, for one task.
   *
   * @return a scalar
   */
  Expr taskLoss(Tree<Expr> theta, Task<Expr> task);

  /**
   * One step of adaptation.
   *
   * @param theta the meta-parameters
   * @param fast the weights so far; {@link #start} before the first step
   * @param support the examples to adapt on
   */
  Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support);

  /** Number of inner steps while meta-training. */
  int steps();

  /** The network's weights before adaptation. */
  default Tree<Expr> start(Tree<Expr> theta) {
    return theta;
  }

  /** The weights after {@link #steps} steps on the support set. */
  default Tree<Expr> adapt(Tree<Expr> theta, Batch<Expr> support) {
    Tree<Expr> fast = start(theta);
    for (int k = 0; k < steps(); k++) {
      fast = step(theta, fast, Task.atStep(support, k));
    }
    return fast;
  }

  /**
   * The mean loss of several tasks: what the paper's outer loop descends.
   *
   * @param tasks a tree as {@link Task#of} reads it, every leaf with the tasks along its first axis
   */
  default Expr metaLoss(Tree<Expr> theta, Tree<Expr> tasks) {
    return vmapToArray(task -> taskLoss(theta, Task.of(task)), tasks).mean();
  }

  /** Types of the meta-parameters for a network with weights of these types. */
  default Tree<Type> types(Tree<Type> weights) {
    return weights;
  }

  /** Initial meta-parameters for a network with these initial weights. */
  default Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    return weights;
  }
}
