package dev.vauban.nn;

import dev.vauban.nn.data.BatchSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * Ordinary batches of a set as the inputs of a {@link TrainingStep}: all images as bytes, where
 * they stay, and which of them a step takes ({@link BatchSampler}).
 */
public final class ImageBatches {
  private static final String IMAGES = "images";
  private static final String WHICH = "batch";
  private static final String LABELS = "labels";

  private ImageBatches() {}

  /**
   * Inputs that are written before each step and live as long as it.
   *
   * @param set where the images come from; must stay open
   * @param size images of a batch, at least 1
   * @param order the source of the batches
   * @param constants what else every step reads, by names; copied
   */
  public static TrainingStep.Inputs of(ImageSet set, int size, Key order, Tree<Tensor> constants) {
    if (size < 1) {
      throw new IllegalArgumentException("a batch has at least 1 image, not " + size);
    }
    BatchSampler batches = new BatchSampler(set, order);
    Type images = new Type(DType.U8, set.blockShape());
    Scope scope = Scope.open();
    try {
      Tensor which = scope.tensor(Type.i32(size));
      Tensor labels = scope.tensor(Type.i32(size));
      Tree<Tensor> all =
          Tree.of(IMAGES, Tensor.over(scope, images, set.pixels()), WHICH, which, LABELS, labels);
      List<String> fixed = new ArrayList<>(List.of(IMAGES));
      for (String name : constants.children().keySet()) {
        all = all.with(name, scope.copies(constants.sub(name)));
        fixed.add(name);
      }
      return TrainingStep.Inputs.of(all)
          .fixing(fixed.toArray(String[]::new))
          .from(step -> batches.fill(step, which, labels))
          .ownedBy(scope);
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  /** The batch of a step, traced: images [size,H,W,C] in [0,1] and labels I32 [size]. */
  public static Batch<Expr> batch(Tree<Expr> in) {
    Expr bytes = in.get(IMAGES).gather(0, in.get(WHICH));
    return new Batch<>(bytes.cast(DType.F32).div(255), in.get(LABELS));
  }
}
