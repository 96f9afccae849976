package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Static shape of pooling: images [N, H, W, C] to [N, OH, OW, C]. Window positions over padding
 * take no part.
 *
 * @param batch images N
 * @param height image rows H
 * @param width image columns W
 * @param channels channels C
 * @param window the window, of at most 256 positions
 */
public record PoolShape(int batch, int height, int width, int channels, WindowShape window) {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if they do not describe pooling
   */
  public PoolShape {
    if (batch < 0 || channels < 0 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          "Pool: images ["
              + batch
              + ", "
              + height
              + ", "
              + width
              + ", "
              + channels
              + "]; height and width must be at least 1, the others at least 0");
    }
    if (window.area() > 256) {
      throw new IllegalArgumentException(
          "Pool: a window has at most 256 positions, not " + window.area());
    }
    if (window.outputHeight(height) < 1 || window.outputWidth(width) < 1) {
      throw new IllegalArgumentException(
          "Pool: " + window + " does not fit an image of " + height + "x" + width);
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

  /** Elements of the images. */
  long inputSize() {
    return (long) batch * height * width * channels;
  }

  /** Whether no input position belongs to two windows, so that gradients need no addition. */
  boolean disjoint() {
    return window.strideH() > (window.height() - 1) * window.dilationH()
        && window.strideW() > (window.width() - 1) * window.dilationW();
  }

  /** Whether each input position belongs to exactly one window. */
  boolean tiles() {
    return window.strideH() == window.height()
        && window.strideW() == window.width()
        && window.dilationH() == 1
        && window.dilationW() == 1
        && window.top() + window.bottom() + window.left() + window.right() == 0
        && height % window.height() == 0
        && width % window.width() == 0;
  }
}
