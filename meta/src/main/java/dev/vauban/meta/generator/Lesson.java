package dev.vauban.meta.generator;

import dev.vauban.nn.Batch;
import dev.vauban.nn.ImageBatches;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.TrainingStep.Slope;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;

/** One stage of a generator's training: what a batch of images teaches it. */
public interface Lesson {
  /** Whom it is for. */
  Generator generator();

  /** Whom it attacks. */
  Surrogates surrogates();

  /**
   * The gradient.
   *
   * @param weights the generator's
   * @param surrogates their weights
   * @param batch images [N,H,W,C] in [0,1], labels I32 [N], and a key
   * @return with the metrics {@code loss} and {@code fooled}: the share of the batch that the
   *     generator's most likely change fools the surrogates on
   */
  Slope slope(Tree<Expr> weights, Tree<Expr> surrogates, Batch<Expr> batch);

  /**
   * Compiles the lesson into a step on batches of training images, and starts at step 0. Weights,
   * figures and state are the step's own; it serves one thread.
   *
   * @param device where it runs; must stay open
   * @param set the images, with as many classes as the surrogates know; must stay open
   * @param batch images of a step, at least 1
   * @param weights the generator's at the beginning, copied
   * @param surrogateWeights copied
   * @param optimizer how the gradient changes the generator's weights
   * @param order the source of the batches
   * @param key the source of all other randomness
   * @throws ShapeException if images, generator and surrogates do not fit one another
   */
  default TrainingStep compile(
      Device device,
      ImageSet set,
      int batch,
      Tree<Tensor> weights,
      Tree<Tensor> surrogateWeights,
      Optimizer optimizer,
      Key order,
      Key key) {
    Surrogates known = surrogates();
    if (!set.blockShape().without(0).equals(known.image())
        || set.classCount() != known.classes()
        || !generator().image().equals(known.image())) {
      throw new ShapeException(
          "generator, surrogates and images do not fit: %s, %s of %d classes, %s of %d classes"
              .formatted(
                  generator().image(),
                  known.image(),
                  known.classes(),
                  set.blockShape().without(0),
                  set.classCount()));
    }
    return TrainingStep.compile(
        device,
        (w, in, k) -> slope(w, in.sub("surrogates"), ImageBatches.batch(in).withKey(k)),
        ImageBatches.of(
            set, batch, order, Tree.<Tensor>empty().with("surrogates", surrogateWeights)),
        weights,
        optimizer,
        key);
  }

  /** The image changed by {@code change}, in [0,1]. */
  static Expr changed(Expr x, Expr change, double eps) {
    return x.add(change.mul(eps)).clamp(0, 1);
  }
}
