package dev.vauban.nn;

import static dev.vauban.nn.Layers.batchNorm;
import static dev.vauban.nn.Layers.block;
import static dev.vauban.nn.Layers.conv;
import static dev.vauban.nn.Layers.globalAveragePool;
import static dev.vauban.nn.Layers.linear;
import static dev.vauban.nn.Layers.relu;
import static dev.vauban.nn.Layers.sequential;

import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Residual networks for small images (<a href="https://arxiv.org/abs/1512.03385">He et al.
 * 2016</a>). Inputs are [H,W,C]. Convolutions have no bias, since the batch norm right after would
 * remove it, and start with Kaiming's rule.
 */
public final class ResNet {
  private static final int STAGES = 4;
  private static final int BLOCKS = 2; // of a stage

  private ResNet() {}

  /**
   * ResNet-18 as it is used on CIFAR and in adversarial training (Madry et al. 2018 and after): a
   * 3x3 stem with stride 1 and no pooling; four stages of two basic blocks with {@code width}, 2, 4
   * and 8 times as many filters, of which all but the first halve the image; the mean over
   * positions; a linear head. With 64 filters, 3 channels and 10 classes it has 11,173,962 weights.
   *
   * @param width filters of the stem and the first stage, 64 in the paper; at least 1
   */
  public static Model eighteen(Shape input, int width, int ways) {
    List<Layer> layers = new ArrayList<>();
    layers.add(block("stem", convolution(width, 3, 1), batchNorm(), relu()));
    int before = width;
    for (int stage = 0; stage < STAGES; stage++) {
      Layer[] blocks = new Layer[BLOCKS];
      int filters = width << stage;
      for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = basic(before, filters, stage > 0 && i == 0 ? 2 : 1);
        before = filters;
      }
      layers.add(block("stage", blocks));
    }
    layers.add(globalAveragePool());
    String name = width == 64 ? "resnet18" : "resnet18-" + width;
    return new Model(name, input, sequential(layers.toArray(Layer[]::new)), linear(ways));
  }

  /** Two convolutions 3x3; the shortcut is a projection where the block changes the shape. */
  private static Layer basic(int before, int filters, int stride) {
    Layer main =
        sequential(
            convolution(filters, 3, stride),
            batchNorm(),
            relu(),
            convolution(filters, 3, 1),
            batchNorm());
    return stride == 1 && before == filters
        ? Residual.identity(main)
        : new Residual(main, sequential(convolution(filters, 1, stride), batchNorm()));
  }

  private static Layer convolution(int filters, int size, int stride) {
    return conv(filters, size, stride, (size - 1) / 2).withoutBias().starting(Init.KAIMING_NORMAL);
  }
}
