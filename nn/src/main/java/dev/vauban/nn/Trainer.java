package dev.vauban.nn;

import dev.vauban.tensor.Binding;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * Gradient descent on an objective: a {@link TrainingStep} whose inputs are one batch.
 *
 * <p>A trainer serves one thread.
 */
public final class Trainer implements AutoCloseable {
  private final Tree<Tensor> batch;
  private final TrainingStep step;

  private Trainer(Tree<Tensor> batch, TrainingStep step) {
    this.batch = batch;
    this.step = step;
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param objective what is minimised
   * @param batch types of what each step is given
   * @param weights initial weights, copied
   * @param optimizer how the gradient changes the weights
   * @param key the source of all randomness; the objective's at step k is {@code key.fold(k)}
   */
  public static Trainer compile(
      Device device,
      Objective objective,
      Tree<Type> batch,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    Scope scope = Scope.open();
    try {
      Tree<Tensor> own = scope.tensors(batch);
      TrainingStep step =
          TrainingStep.compile(
              device,
              (w, in, k) -> slope(objective, w, in.sub("batch"), k),
              TrainingStep.Inputs.of(Tree.<Tensor>empty().with("batch", own)).ownedBy(scope),
              weights,
              optimizer,
              key);
      return new Trainer(own, step);
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  /** Compiles the step of a loss whose batches have the types {@code batch}. */
  public static Trainer compile(
      Device device,
      Loss loss,
      Batch<Type> batch,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    return compile(device, Objective.of(loss), batch.tree(), weights, optimizer, key);
  }

  private static TrainingStep.Slope slope(
      Objective objective, Tree<Expr> weights, Tree<Expr> batch, Expr key) {
    Grad.Extended g =
        Grad.extended(
            w -> {
              Objective.Value v = objective.of(w, batch, key);
              return new Grad.Outcome(v.loss(), v.metrics());
            },
            weights);
    if (g.extras().isLeaf() || g.extras().has("loss")) {
      throw new IllegalArgumentException(
          "an objective's metrics are a tree of names other than 'loss', which the trainer adds");
    }
    return new TrainingStep.Slope(g.gradient(), g.extras().with("loss", g.value().cast(DType.F32)));
  }

  /**
   * One step on the batch that {@link #batch} holds. Allocates nothing. The results are in {@link
   * #loss} and {@link #metrics}.
   */
  public void step() {
    step.run();
  }

  /**
   * Starts a step on the batch that {@link #batch} holds; the next one may be written there when
   * this returns. On a device that computes beside the processor the step is then under way.
   *
   * @throws IllegalStateException if a step is under way, on a card two
   */
  public void start() {
    step.start();
  }

  /** Waits for the step that was started; the results are then as after {@link #step()}. */
  public void finish() {
    step.finish();
  }

  /**
   * Copies {@code batch} into the trainer's own and takes one step.
   *
   * @return the figures of this step; the next step overwrites them
   * @throws dev.vauban.tensor.ShapeException if the batch has another structure or other types
   */
  public Tree<Tensor> step(Tree<Tensor> batch) {
    Binding.check("batch", plan().program().inputs().sub("batch"), batch);
    TrainingStep.copy(batch, this.batch);
    step();
    return metrics();
  }

  /** {@link #step(Tree)} for a batch of inputs and targets. */
  public Tree<Tensor> step(Batch<Tensor> batch) {
    return step(batch.tree());
  }

  /** The tensors that the next step reads; fill them in place to spare a copy. */
  public Tree<Tensor> batch() {
    return batch;
  }

  /** The figures of the last step: {@code loss} and what the objective added. */
  public Tree<Tensor> metrics() {
    return step.metrics();
  }

  /** The loss of the last step, before its update. */
  public double loss() {
    return metrics().get("loss").get(0);
  }

  /** Number of steps taken so far, counting those before a restored state. */
  public long number() {
    return step.number();
  }

  /** The weights after the last step: own tensors, to be asked for anew after each step. */
  public Tree<Tensor> weights() {
    return step.weights();
  }

  /** All of the {@link TrainingStep}'s state, for a checkpoint; own tensors. */
  public Tree<Tensor> state() {
    return step.state();
  }

  /** The types of the state: what a checkpoint must hold. */
  public Tree<Type> stateTypes() {
    return step.stateTypes();
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another trainer of the same kind.
   *
   * @throws dev.vauban.tensor.ShapeException if it has another structure or other types
   */
  public void restore(Tree<Tensor> state) {
    step.restore(state);
  }

  /** The compiled step. */
  public Plan plan() {
    return step.plan();
  }

  /** Frees the plan and the state. */
  @Override
  public void close() {
    step.close();
  }
}
