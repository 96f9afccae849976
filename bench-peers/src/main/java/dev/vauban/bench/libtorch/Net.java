package dev.vauban.bench.libtorch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Conv4 with maximum pooling as functions of its weights: kernel, scale and shift of each block,
 * then the head's matrix [ways,features] and its bias.
 */
final class Net {
  private static final double EPS = 1e-5;
  private static final double MOMENTUM = 0.1; // of running statistics, of which there are none
  private static final long[] ONE = {1, 1};
  private static final long[] TWO = {2, 2};
  private static final long[] NOTHING = {0, 0};

  private Net() {}

  /** The mean cross-entropy of the images' labels. */
  static Tensor loss(Tensor[] w, Tensor images, Tensor labels) {
    return headLoss(w, features(w, images), labels);
  }

  /** The mean cross-entropy of the labels of images with these features. */
  static Tensor headLoss(Tensor[] w, Tensor features, Tensor labels) {
    Tensor logits = torch.linear(features, w[w.length - 2], new TensorOptional(w[w.length - 1]));
    return torch.cross_entropy_loss(logits, labels);
  }

  /** What the head reads: [N, features] in the order channel, row, column. */
  static Tensor features(Tensor[] w, Tensor images) {
    Tensor x = images;
    for (int i = 0; i + 2 < w.length; i += 3) {
      Tensor block = block(x, w[i], w[i + 1], w[i + 2]);
      if (x != images) {
        x.close();
      }
      x = block;
    }
    return x.flatten(1, -1);
  }

  /** Closes what the graph does not keep at once, as Python would: the memory is used again. */
  private static Tensor block(Tensor x, Tensor kernel, Tensor scale, Tensor shift) {
    Tensor c = torch.conv2d(x, kernel, new TensorOptional(), ONE, ONE, ONE, 1);
    Tensor n = normalised(c, scale, shift);
    c.close();
    Tensor r = torch.relu(n);
    n.close();
    Tensor p = torch.max_pool2d(r, TWO, TWO, NOTHING, ONE, false);
    r.close();
    return p;
  }

  /** By the batch's own statistics. */
  static Tensor normalised(Tensor x, Tensor scale, Tensor shift) {
    TensorOptional none = new TensorOptional();
    return torch.batch_norm(
        x,
        new TensorOptional(scale),
        new TensorOptional(shift),
        none,
        none,
        true,
        MOMENTUM,
        EPS,
        false);
  }
}
