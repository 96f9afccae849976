package dev.vauban.nn;

import static dev.vauban.nn.Layers.batchNorm;
import static dev.vauban.nn.Layers.conv;
import static dev.vauban.nn.Layers.flatten;
import static dev.vauban.nn.Layers.linear;
import static dev.vauban.nn.Layers.maxPool;
import static dev.vauban.nn.Layers.relu;
import static dev.vauban.nn.Layers.sequential;

import dev.vauban.tensor.Shape;

/** The four-block convolutional networks of the few-shot literature. Inputs are [H,W,C]. */
public final class Conv4 {
  private Conv4() {}

  /**
   * Four blocks of convolution 3x3 (padding 1), batch norm, ReLU, maximum pooling 2x2, then a
   * linear head: 28x28 gives one position of {@code filters} features. Vinyals et al. 2016, Snell
   * et al. 2017, MAML++. The convolutions have no bias: the batch norm right after would remove it.
   */
  public static Model maxPooled(Shape input, int filters, int ways) {
    Layer[] blocks = new Layer[5];
    for (int i = 0; i < 4; i++) {
      blocks[i] =
          Layers.block("block", conv(filters, 3).withoutBias(), batchNorm(), relu(), maxPool(2));
    }
    blocks[4] = flatten();
    return new Model("conv4-" + filters, input, sequential(blocks), linear(ways));
  }

  /**
   * Four blocks of convolution 3x3 with stride 2 and padding 1, batch norm, ReLU, then a linear
   * head, started with Xavier's rule: 28x28 becomes 14, 7, 4 and 2 positions a side. Finn et al.
   * 2017 use it for Omniglot (with the mean over positions at the end).
   */
  public static Model strided(Shape input, int filters, int ways) {
    Layer[] blocks = new Layer[5];
    for (int i = 0; i < 4; i++) {
      blocks[i] = Layers.block("block", conv(filters, 3, 2, 1).withoutBias(), batchNorm(), relu());
    }
    blocks[4] = flatten();
    return new Model("conv4-strided-" + filters, input, sequential(blocks), linear(ways));
  }

  /**
   * R-MAML's Omniglot network: three convolutions 3x3 with stride 2 and one 2x2, no padding, each
   * followed by ReLU and then batch norm; 28x28 gives one position. Started with Kaiming's rule.
   */
  public static Model rmamlOmniglot(Shape input, int filters, int ways) {
    Layer body =
        sequential(
            reluThenNorm(conv(filters, 3, 2, 0)),
            reluThenNorm(conv(filters, 3, 2, 0)),
            reluThenNorm(conv(filters, 3, 2, 0)),
            reluThenNorm(conv(filters, 2, 1, 0)),
            flatten());
    return new Model("conv4-rmaml-" + filters, input, body, kaimingHead(ways));
  }

  /**
   * R-MAML's CIFAR-FS network: 16, 16, 32, 32 filters 3x3 with padding 1, the first with stride 2,
   * each followed by ReLU and batch norm, maximum pooling after the second and fourth; 32x32 gives
   * 512 features. Started with Kaiming's rule.
   */
  public static Model cifar(Shape input, int ways) {
    Layer body =
        sequential(
            reluThenNorm(conv(16, 3, 2, 1)),
            reluThenNorm(conv(16, 3, 1, 1), maxPool(2)),
            reluThenNorm(conv(32, 3, 1, 1)),
            reluThenNorm(conv(32, 3, 1, 1), maxPool(2)),
            flatten());
    return new Model("conv4-cifar", input, body, kaimingHead(ways));
  }

  /**
   * R-MAML's miniImageNet network: four blocks of convolution 3x3 without padding, ReLU, batch norm
   * and maximum pooling 2x2, the last with stride 1; 84x84x3 gives 800 features for 32 filters, and
   * 32,901 weights for 5 ways. Started with Kaiming's rule.
   */
  public static Model mini(Shape input, int filters, int ways) {
    Layer body =
        sequential(
            reluThenNorm(conv(filters, 3, 1, 0), maxPool(2)),
            reluThenNorm(conv(filters, 3, 1, 0), maxPool(2)),
            reluThenNorm(conv(filters, 3, 1, 0), maxPool(2)),
            reluThenNorm(conv(filters, 3, 1, 0), maxPool(2, 1, 0)),
            flatten());
    return new Model("conv4-mini-" + filters, input, body, kaimingHead(ways));
  }

  private static Layer reluThenNorm(Conv conv, Layer... pool) {
    Layer c = conv.starting(Init.KAIMING_NORMAL);
    return pool.length == 0
        ? Layers.block("block", c, relu(), batchNorm())
        : Layers.block("block", c, relu(), batchNorm(), pool[0]);
  }

  private static Layer kaimingHead(int ways) {
    return linear(ways).starting(Init.KAIMING_NORMAL);
  }
}
