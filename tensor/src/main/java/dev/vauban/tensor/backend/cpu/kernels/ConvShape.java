package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Static shape of a two-dimensional convolution, shared by its forward pass and both gradients:
 * x[N, H, W, C], kernel[window height, window width, C / groups, K], y[N, OH, OW, K].
 *
 * @param batch images N
 * @param height image rows H
 * @param width image columns W
 * @param channels input channels C, a multiple of {@code groups}
 * @param filters output channels K, a multiple of {@code groups}
 * @param window kernel size, stride, padding and dilation
 * @param groups groups of channels that do not mix, at least 1
 */
public record ConvShape(
    int batch, int height, int width, int channels, int filters, WindowShape window, int groups) {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if they do not describe a convolution
   */
  public ConvShape {
    if (batch < 0 || Math.min(Math.min(height, width), Math.min(channels, filters)) < 1) {
      throw new IllegalArgumentException(
          "Conv: x["
              + batch
              + ", "
              + height
              + ", "
              + width
              + ", "
              + channels
              + "] with "
              + filters
              + " filters; sizes must be at least 1 (the batch at least 0)");
    }
    if (groups < 1 || channels % groups != 0 || filters % groups != 0) {
      throw new IllegalArgumentException(
          "Conv: "
              + channels
              + " channels and "
              + filters
              + " filters cannot be split into "
              + groups
              + " groups");
    }
    if (window.outputHeight(height) < 1 || window.outputWidth(width) < 1) {
      throw new IllegalArgumentException(
          "Conv: " + window + " does not fit an image of " + height + "x" + width);
    }
  }

  /** Output rows. */
  public int outputHeight() {
    return window.outputHeight(height);
  }

  /** Output columns. */
  public int outputWidth() {
    return window.outputWidth(width);
  }

  /** Input channels that one filter sees. */
  public int groupChannels() {
    return channels / groups;
  }

  /** Filters of one group. */
  public int groupFilters() {
    return filters / groups;
  }

  /** Output positions over the whole batch; limited to an {@code int}. */
  int outputPixels() {
    return Math.toIntExact((long) batch * outputHeight() * outputWidth());
  }

  /** Floating-point operations of the forward pass, padding included; each gradient has as many. */
  public double flops() {
    return 2.0 * outputPixels() * window.area() * groupChannels() * filters;
  }
}
