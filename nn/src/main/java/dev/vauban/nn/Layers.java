package dev.vauban.nn;

import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Window;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers by name, for static import: {@code sequential(conv(64, 3), batchNorm(), relu(),
 * maxPool(2), flatten(), linear(5))}. Input sizes are not given: layers read them from the shape of
 * the input.
 */
public final class Layers {
  private Layers() {}

  /** Layers one after another. */
  public static Sequential sequential(Layer... layers) {
    return new Sequential("sequential", List.of(layers));
  }

  /** Layers one after another; their weights are filed under {@code name1}, {@code name2}, ... */
  public static Sequential block(String name, Layer... layers) {
    return new Sequential(name, List.of(layers));
  }

  /**
   * A convolution with a square kernel, stride 1, padding (size-1)/2 (which keeps odd sizes), a
   * bias, and a Xavier-uniform start.
   */
  public static Conv conv(int filters, int size) {
    Window window = Window.of(1, (size - 1) / 2);
    return new Conv(filters, size, size, window, 1, Bias.WITH, Init.XAVIER_UNIFORM);
  }

  /** A convolution with a square kernel, a bias, and a Xavier-uniform start. */
  public static Conv conv(int filters, int size, int stride, int padding) {
    return conv(filters, size).moving(stride, padding);
  }

  /** A fully connected layer with a bias and a Xavier-uniform start. */
  public static Linear linear(int outputs) {
    return new Linear(outputs, Bias.WITH, Init.XAVIER_UNIFORM);
  }

  /** max(x, 0). */
  public static Layer relu() {
    return Activation.RELU;
  }

  /** Hyperbolic tangent. */
  public static Layer tanh() {
    return Activation.TANH;
  }

  /** 1 / (1 + exp(-x)). */
  public static Layer sigmoid() {
    return Activation.SIGMOID;
  }

  /** Maximum pooling with a square window that moves by its own size. */
  public static Pool maxPool(int size) {
    return new Pool(Pool.Kind.MAX, PoolWindow.square(size));
  }

  /** Maximum pooling with a square window. */
  public static Pool maxPool(int size, int stride, int padding) {
    return new Pool(Pool.Kind.MAX, new PoolWindow(size, size, Window.of(stride, padding)));
  }

  /** Average pooling with a square window that moves by its own size. */
  public static Pool averagePool(int size) {
    return new Pool(Pool.Kind.AVERAGE, PoolWindow.square(size));
  }

  /** Average pooling with a square window; padding counts as zeros. */
  public static Pool averagePool(int size, int stride, int padding) {
    return new Pool(Pool.Kind.AVERAGE, new PoolWindow(size, size, Window.of(stride, padding)));
  }

  /** The mean of each channel over all positions. */
  public static Layer globalAveragePool() {
    return new GlobalAveragePool();
  }

  /** Every example as one vector. */
  public static Layer flatten() {
    return new Flatten();
  }

  /** Batch normalisation on the batch's own statistics, eps 1e-5, with scale and shift. */
  public static Norm batchNorm() {
    return new Norm(Norm.Over.BATCH, 1, Normalize.EPS);
  }

  /** Layer normalisation over all axes but the batch, eps 1e-5, with scale and shift. */
  public static Norm layerNorm() {
    return new Norm(Norm.Over.LAYER, 1, Normalize.EPS);
  }

  /** Group normalisation, eps 1e-5, with scale and shift. */
  public static Norm groupNorm(int groups) {
    return new Norm(Norm.Over.GROUP, groups, Normalize.EPS);
  }

  /**
   * A multi-layer perceptron: linear layers with {@code activation} between them.
   *
   * @param sizes the layers' outputs, hidden ones first; at least one
   */
  public static Sequential mlp(Activation activation, int... sizes) {
    List<Layer> layers = new ArrayList<>();
    layers.add(flatten());
    for (int i = 0; i < sizes.length; i++) {
      if (i > 0) {
        layers.add(activation);
      }
      layers.add(linear(sizes[i]));
    }
    return new Sequential("mlp", layers);
  }
}
