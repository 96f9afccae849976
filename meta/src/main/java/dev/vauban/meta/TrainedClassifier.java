package dev.vauban.meta;

import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An image classifier with its weights: something to attack, or to prepare attacks on.
 *
 * @param model the network, with an output for each class
 * @param weights its weights; must stay open
 * @param classes what its outputs mean, in order; must stay open
 */
public record TrainedClassifier(Model model, Tree<Tensor> weights, ImageSet classes) {
  private static final int BATCH = 100;

  /** Checks that network and images fit. */
  public TrainedClassifier {
    if (!model.input().equals(classes.blockShape().without(0))
        || model.outputShape().dim(-1) != classes.classCount()) {
      throw new IllegalArgumentException(
          "a network for images %s and %d classes does not fit %s"
              .formatted(model.input(), model.outputShape().dim(-1), classes));
    }
  }

  /**
   * Trains a classifier on batches of 64.
   *
   * @param scope owns the weights
   * @param device where it is trained
   * @param model the network, with an output for each class of {@code classes}
   * @param classes what its outputs mean
   * @param training the images to train on: those of {@code classes}, or some of them, with at
   *     least one of each class
   * @param steps batches, at least 1
   * @param optimizer how the gradient changes the weights
   * @param key the source of all randomness
   */
  public static TrainedClassifier trained(
      Scope scope,
      Device device,
      Model model,
      ImageSet classes,
      ImageSet training,
      int steps,
      Optimizer optimizer,
      Key key) {
    if (!training.classNames().equals(classes.classNames())) {
      throw new IllegalArgumentException(
          "a classifier is trained on images of all its %d classes, in order, not on %s"
              .formatted(classes.classCount(), training));
    }
    try (Scope temporary = Scope.open();
        EmbeddingTrainer trainer =
            EmbeddingTrainer.compile(
                device,
                model,
                training,
                EmbeddingTrainer.Recipe.of(64, Augmentation.none()),
                model.init(temporary, key.fold(0)),
                optimizer,
                key.fold(1),
                key.fold(2))) {
      while (trainer.number() < steps) {
        trainer.step();
      }
      Tree<Tensor> weights = scope.copies(trainer.weights());
      return new TrainedClassifier(model, weights, classes);
    }
  }

  /**
   * Those of {@code images} that are classified correctly.
   *
   * @param images a selection of {@link #classes}
   * @param least how many images a class must have left; classes with fewer are left out
   */
  public ImageSet correct(Device device, ImageSet images, int least) {
    boolean[] right = right(device, images);
    ImageSet kept = images.where(at -> right[at]);
    List<Integer> rich = new ArrayList<>();
    for (int c = 0; c < kept.classCount(); c++) {
      if (kept.imageCount(c) >= least) {
        rich.add(c);
      }
    }
    return kept.select(rich.stream().mapToInt(Integer::intValue).toArray());
  }

  /** By position in the block. */
  private boolean[] right(Device device, ImageSet images) {
    int[] truth = classes.labels();
    boolean[] right = new boolean[truth.length];
    Tree<Type> types =
        Tree.of("images", new Type(DType.U8, classes.blockShape()), "batch", Type.i32(BATCH))
            .with("weights", model.types());
    Program program =
        Program.trace(
            types,
            in ->
                Tree.of(
                    "class",
                    model
                        .logits(
                            in.sub("weights"),
                            in.get("images").gather(0, in.get("batch")).cast(DType.F32).div(255))
                        .argMax(-1)));
    try (Plan plan = device.compile(program);
        Scope scope = Scope.open()) {
      Tensor batch = scope.tensor(Type.i32(BATCH));
      Tree<Tensor> out = scope.tensors(program.outputs());
      Plan.Bound bound =
          plan.bind(
              Tree.of(
                      "images",
                      Tensor.over(
                          scope, new Type(DType.U8, classes.blockShape()), classes.pixels()),
                      "batch",
                      batch)
                  .with("weights", weights),
              out);
      for (int[] part : batches(images)) {
        for (int i = 0; i < BATCH; i++) {
          batch.set(i, part[Math.min(i, part.length - 1)]);
        }
        bound.run();
        for (int i = 0; i < part.length; i++) {
          right[part[i]] = (int) out.get("class").get(i) == truth[part[i]];
        }
      }
    }
    return right;
  }

  private static List<int[]> batches(ImageSet images) {
    List<int[]> batches = new ArrayList<>();
    for (int c = 0; c < images.classCount(); c++) {
      int[] all = images.imagesOf(c);
      for (int from = 0; from < all.length; from += BATCH) {
        batches.add(Arrays.copyOfRange(all, from, Math.min(all.length, from + BATCH)));
      }
    }
    return batches;
  }
}
