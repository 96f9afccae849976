package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.vmapToArray;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Model;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A way to learn weights from which a few steps suffice. The meta-parameters theta are a tree; for
 * most methods they are the network's weights themselves. What adaptation makes of them is a tree
 * too, the adapted state: for most methods weights again, but for example prototypes or a fitted
 * head as well.
 *
 * <p>A method of one's own implements {@link #taskLoss}, {@link #step} and {@link #steps}; the rest
 * has defaults. {@code docs/extending.md} shows one.
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
   * @param fast the adapted state so far; {@link #start} before the first step
   * @param support the examples to adapt on
   */
  Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support);

  /** Number of inner steps while meta-training. */
  int steps();

  /**
   * The state before the first step.
   *
   * @param support the examples to adapt on, for methods that adapt at once
   */
  default Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    return theta;
  }

  /**
   * What an adapted state says of images.
   *
   * @param model the network
   * @param fast the adapted state
   * @param x images [N,H,W,C]
   * @return logits [N,ways]
   */
  default Expr logits(Model model, Tree<Expr> fast, Expr x) {
    return model.logits(weights(fast), x);
  }

  /** The network's weights within an adapted state. */
  default Tree<Expr> weights(Tree<Expr> fast) {
    return fast;
  }

  /** The state after {@link #steps} steps on the support set. */
  default Tree<Expr> adapt(Tree<Expr> theta, Batch<Expr> support) {
    Tree<Expr> fast = start(theta, support);
    for (int k = 0; k < steps(); k++) {
      fast = step(theta, fast, Task.atStep(support, k));
    }
    return fast;
  }

  /**
   * This learner at a meta-step, for methods that change while they train.
   *
   * @param number of the meta-step, an I32 scalar from 0
   */
  default MetaLearner at(Expr number) {
    return this;
  }

  /**
   * Losses that are descended one after the other, each by an optimiser of its own ({@link
   * dev.vauban.nn.InTurn}); for all methods but one the only leaf is {@link #taskLoss}.
   *
   * @return scalars by name
   */
  default Tree<Expr> taskLosses(Tree<Expr> theta, Task<Expr> task) {
    return Tree.of("loss", taskLoss(theta, task));
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
