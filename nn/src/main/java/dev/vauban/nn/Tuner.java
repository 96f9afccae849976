package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A way to tune variables: where they start and how they move. What is learned of it stands in
 * weights of its own; a hand-designed tuner has none. It serves wherever an optimiser does: for a
 * perturbation, as the inner update of a meta-learner, in an attack.
 */
public interface Tuner {
  /** What meta-training learns; an empty tree if there is nothing. */
  Tree<Weight> weights();

  /**
   * Where the variables start.
   *
   * @param weights of the structure of {@link #weights}
   * @param variables what is tuned
   */
  default Tree<Expr> start(Tree<Expr> weights, Tree<Type> variables) {
    return variables.map(t -> Expr.fill(t, 0));
  }

  /** How they move. */
  Optimizer rule(Tree<Expr> weights);

  /** Any optimiser, from zeros, with nothing to learn. */
  static Tuner of(Optimizer optimizer) {
    return new Fixed(optimizer);
  }

  /** An optimiser that is learned, from zeros: the learned fine-tuner (LFT) itself. */
  static Tuner learned(LearnedOptimizer net) {
    return new Learned(net);
  }

  /**
   * An optimiser from a start that is learned: MAML's way (Finn et al. 2017), which needs variables
   * of the one shape that it was learned for.
   */
  static Tuner startingWell(Tree<Type> variables, Optimizer optimizer) {
    return new Start(variables, optimizer);
  }

  /** {@link Tuner#of}. */
  record Fixed(Optimizer optimizer) implements Tuner {
    @Override
    public Tree<Weight> weights() {
      return Tree.empty();
    }

    @Override
    public Optimizer rule(Tree<Expr> weights) {
      return optimizer;
    }
  }

  /** {@link Tuner#learned}. */
  record Learned(LearnedOptimizer net) implements Tuner {
    @Override
    public Tree<Weight> weights() {
      return net.weights();
    }

    @Override
    public Optimizer rule(Tree<Expr> weights) {
      return net.with(weights);
    }
  }

  /** {@link Tuner#startingWell}. */
  record Start(Tree<Type> variables, Optimizer optimizer) implements Tuner {
    @Override
    public Tree<Weight> weights() {
      return Tree.of("start", variables.map(t -> new Weight(t, Init.ZEROS, 1, 1)));
    }

    @Override
    public Tree<Expr> start(Tree<Expr> weights, Tree<Type> types) {
      if (!types.equals(variables)) {
        throw new IllegalArgumentException(
            "this start was learned for variables %s, not for %s"
                .formatted(variables.leaves(), types.leaves()));
      }
      return weights.sub("start");
    }

    @Override
    public Optimizer rule(Tree<Expr> weights) {
      return optimizer;
    }
  }
}
