package dev.vauban.meta;

import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.OptionalDouble;

/**
 * A training that is under way: one compiled step that is replayed, and a state that is all there
 * is. Restored from a saved state it goes on to the same bits.
 */
public sealed interface Learning extends AutoCloseable permits MetaTrainer, EmbeddingTrainer {
  /** One step on the next tasks; the figures are those before it. */
  void step();

  /** Number of steps taken, counting those before a restored state. */
  long number();

  /** The loss of the last step. */
  double loss();

  /** Accuracy on clean images in the last step, 0 to 1. */
  double accuracy();

  /** The same on the images that training attacked; empty if the method attacks none. */
  OptionalDouble robustAccuracy();

  /** The meta-parameters now: own tensors, to be asked for anew after each step. */
  Tree<Tensor> weights();

  /** All of the state now, for a checkpoint: own tensors, to be asked for anew after each step. */
  Tree<Tensor> state();

  /** The types of the state: what a checkpoint must hold. */
  Tree<Type> stateTypes();

  /**
   * Goes on from a state that {@link #state} gave, of this or another training of the same kind.
   *
   * @throws dev.vauban.tensor.ShapeException if it has another structure or other types
   */
  void restore(Tree<Tensor> state);

  /** The compiled step. */
  Plan plan();

  @Override
  void close();
}
