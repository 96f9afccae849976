package dev.vauban.meta;

import dev.vauban.nn.TrainingStep;
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
  /** The compiled step behind it. */
  TrainingStep training();

  /** One step on the next tasks; the figures are those before it. Allocates nothing. */
  default void step() {
    training().run();
  }

  /** Number of steps taken, counting those before a restored state. */
  default long number() {
    return training().number();
  }

  /** The loss of the last step: of meta-training the mean over its tasks. */
  default double loss() {
    return figure("loss");
  }

  /** Accuracy on clean images in the last step, 0 to 1: of meta-training on adapted queries. */
  default double accuracy() {
    return figure("accuracy");
  }

  /** The same on the images that training attacked; empty if the method attacks none. */
  default OptionalDouble robustAccuracy() {
    return training().metrics().has("robustAccuracy")
        ? OptionalDouble.of(figure("robustAccuracy"))
        : OptionalDouble.empty();
  }

  private double figure(String name) {
    return training().metrics().get(name).get(0);
  }

  /** The meta-parameters now: own tensors, to be asked for anew after each step. */
  default Tree<Tensor> weights() {
    return training().weights();
  }

  /** All of the state now, for a checkpoint: own tensors, to be asked for anew after each step. */
  default Tree<Tensor> state() {
    return training().state();
  }

  /** The types of the state: what a checkpoint must hold. */
  default Tree<Type> stateTypes() {
    return training().stateTypes();
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another training of the same kind.
   *
   * @throws dev.vauban.tensor.ShapeException if it has another structure or other types
   */
  default void restore(Tree<Tensor> state) {
    training().restore(state);
  }

  /** The compiled plan. */
  default Plan plan() {
    return training().plan();
  }

  /** Frees the plan and the state. */
  @Override
  default void close() {
    training().close();
  }
}
