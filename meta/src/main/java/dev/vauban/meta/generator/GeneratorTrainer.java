package dev.vauban.meta.generator;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.data.BatchSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * Teaches a generator one {@link Lesson} on batches of training images. The state is that of the
 * {@link TrainingStep}; a trainer restored from it goes on to the same bits. A trainer serves one
 * thread.
 */
public final class GeneratorTrainer implements AutoCloseable {
  private final Scope scope;
  private final TrainingStep step;

  private GeneratorTrainer(Scope scope, TrainingStep step) {
    this.scope = scope;
    this.step = step;
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param lesson what is taught
   * @param set the images, with as many classes as the surrogates know; must stay open
   * @param batch images of a step, at least 1
   * @param weights the generator's at the beginning, copied
   * @param surrogates their weights, copied
   * @param optimizer how the gradient changes the weights
   * @param order the source of the batches
   * @param key the source of all other randomness
   * @throws ShapeException if images and surrogates do not fit
   */
  public static GeneratorTrainer compile(
      Device device,
      Lesson lesson,
      ImageSet set,
      int batch,
      Tree<Tensor> weights,
      Tree<Tensor> surrogates,
      Optimizer optimizer,
      Key order,
      Key key) {
    if (batch < 1) {
      throw new IllegalArgumentException("a batch has at least 1 image, not " + batch);
    }
    if (!set.blockShape().without(0).equals(lesson.surrogates().image())
        || set.classCount() != lesson.surrogates().classes()
        || !lesson.generator().image().equals(lesson.surrogates().image())) {
      throw new ShapeException(
          "generator, surrogates and images do not fit: %s, %s of %d classes, %s of %d classes"
              .formatted(
                  lesson.generator().image(),
                  lesson.surrogates().image(),
                  lesson.surrogates().classes(),
                  set.blockShape().without(0),
                  set.classCount()));
    }
    Scope scope = Scope.open();
    try {
      BatchSampler batches = new BatchSampler(set, order);
      Tensor which = scope.tensor(Type.i32(batch));
      Tensor labels = scope.tensor(Type.i32(batch));
      Tree<Tensor> inputs =
          Tree.of(
                  "images",
                  Tensor.over(scope, new Type(DType.U8, set.blockShape()), set.pixels()),
                  "batch",
                  which,
                  "labels",
                  labels)
              .with("surrogates", surrogates.map(t -> scope.tensor(t.type()).copyFrom(t)));
      TrainingStep step =
          TrainingStep.compile(
              device,
              (w, in, k) -> {
                Expr x = in.get("images").gather(0, in.get("batch")).cast(DType.F32).div(255);
                return lesson.slope(w, in.sub("surrogates"), new Batch<>(x, in.get("labels"), k));
              },
              TrainingStep.Inputs.of(inputs)
                  .fixing("images", "surrogates")
                  .from(number -> batches.fill(number, which, labels)),
              weights,
              optimizer,
              key);
      return new GeneratorTrainer(scope, step);
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  /** Takes a step. */
  public void step() {
    step.run();
  }

  /** Steps taken, counting those before a restored state. */
  public long number() {
    return step.number();
  }

  /** The last step's figures, before its update: {@code loss}, {@code fooled} and others. */
  public Tree<Tensor> metrics() {
    return step.metrics();
  }

  /** The generator's weights now: own tensors, to be asked for anew after each step. */
  public Tree<Tensor> weights() {
    return step.weights();
  }

  /** All of the state now, for a checkpoint: own tensors, to be asked for anew after each step. */
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
   * @throws ShapeException if it has another structure or other types
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
    scope.close();
  }
}
