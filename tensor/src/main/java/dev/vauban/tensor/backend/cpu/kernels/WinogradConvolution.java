package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/**
 * Convolution y = x * kernel by Winograd's tiles (see {@link Winograd}). The kernel is transformed
 * once; blocks of tiles small enough for the cache go through all three steps: transform, 36 matrix
 * products, transform back.
 *
 * <p>The gradient with respect to the images is the same convolution: of the result's gradient,
 * with the kernel turned by 180 degrees and padding that makes the images as large as they were.
 */
public final class WinogradConvolution {
  // With 64 channels, tiles and products then take 300 KB and the transformed kernel 590 KB: a
  // second-level cache of 1 MiB holds both.
  private static final int BLOCK = 32;
  private static final int DEPTH = 256; // channels of one product: its panel stays in L1 and L2

  private final ConvShape shape;
  private final WinogradKernel kernel;
  private final WinogradTiling tiling;
  private final WinogradImage input;
  private final WinogradImage output;
  private final int vectors;
  private final long position; // bytes between the positions of tiles and of products

  private final long tilesAt;
  private final long inputAt;
  private final long outputAt;
  private final long kernelAt;

  private WinogradConvolution(ConvShape shape, WinogradKernel kernel, int block) {
    this.shape = shape;
    this.kernel = kernel;
    this.tiling = new WinogradTiling(shape, block);
    this.input = WinogradImage.input(shape, tiling);
    this.output = WinogradImage.output(shape, tiling);
    this.vectors = Winograd.vectors(shape.filters());
    this.position = Math.max(input.position(), output.position());
    // Products of a position overwrite the tiles of the one before, hence one more.
    tilesAt = Tile.SCRATCH_BYTES;
    inputAt = tilesAt + (Winograd.POSITIONS + 1) * position;
    outputAt = inputAt + input.scratchBytes();
    kernelAt = Memory.align(outputAt + output.scratchBytes());
  }

  /**
   * The convolution itself.
   *
   * @throws IllegalArgumentException if it does not {@linkplain Winograd#fits fit}
   */
  public static WinogradConvolution forward(ConvShape s) {
    return forward(s, BLOCK);
  }

  static WinogradConvolution forward(ConvShape s, int block) {
    Winograd.check(s);
    return new WinogradConvolution(s, WinogradKernel.forward(s), block);
  }

  /**
   * Its gradient with respect to the images: {@code run} takes the result's gradient and writes
   * that of the images.
   *
   * @throws IllegalArgumentException if it does not {@linkplain Winograd#fits fit}
   */
  public static WinogradConvolution inputGradient(ConvShape s) {
    return inputGradient(s, BLOCK);
  }

  static WinogradConvolution inputGradient(ConvShape s, int block) {
    Winograd.check(s);
    WindowShape w = s.window();
    WindowShape turned =
        new WindowShape(3, 3, 1, 1, 2 - w.top(), 2 - w.bottom(), 2 - w.left(), 2 - w.right(), 1, 1);
    ConvShape shape =
        new ConvShape(
            s.batch(), s.outputHeight(), s.outputWidth(), s.filters(), s.channels(), turned, 1);
    return new WinogradConvolution(shape, WinogradKernel.inputGradient(s), block);
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return kernelAt + kernel.bytes() + kernel.scratchBytes();
  }

  /** Bytes of the transformed kernel. */
  public long kernelBytes() {
    return kernel.bytes();
  }

  /** Bytes that {@code transform} needs as scratch. */
  public long transformScratchBytes() {
    return kernel.scratchBytes();
  }

  /** Bytes that {@code convolve} needs as scratch. */
  public long convolveScratchBytes() {
    return kernelAt;
  }

  /**
   * Runs the convolution; y must not overlap x or the kernel.
   *
   * @param x address of the images x[N, H, W, C]; of an input gradient, gy[N, OH, OW, K]
   * @param w address of kernel[3, 3, C, K], of both
   * @param y address of the result; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long x, long w, long y, long scratch) {
    long transformed = scratch + kernelAt;
    kernel.run(w, transformed, transformed + kernel.bytes());
    convolve(x, transformed, y, scratch);
  }

  /**
   * The first part of {@code run}: worth doing once for several convolutions with one kernel where
   * there are few tiles.
   *
   * @param w address of kernel[3, 3, C, K], of both
   * @param to address of {@link #kernelBytes} bytes; overwritten
   * @param scratch address of {@link #transformScratchBytes} bytes
   */
  public void transform(long w, long to, long scratch) {
    kernel.run(w, to, scratch);
  }

  /**
   * The rest of {@code run}.
   *
   * @param x address of the images x[N, H, W, C]; of an input gradient, gy[N, OH, OW, K]
   * @param transformed address of what {@code transform} made, for any number of images
   * @param y address of the result; overwritten
   * @param scratch address of {@link #convolveScratchBytes} bytes
   */
  public void convolve(long x, long transformed, long y, long scratch) {
    long products = scratch + tilesAt;
    long data = products + position;
    int lines = tiling.lines();
    for (int first = 0; first < lines; first += tiling.blockLines()) {
      int end = Math.min(first + tiling.blockLines(), lines);
      input.data(x, first, end, data, position, scratch + inputAt);
      multiply(data, products, first, end, transformed, scratch);
      output.output(products, position, first, end, y, scratch + outputAt);
    }
  }

  private void multiply(
      long data, long products, int first, int end, long transformed, long scratch) {
    int channels = shape.channels();
    for (int p = 0; p < Winograd.POSITIONS; p++) {
      int tile = tiling.first(p, first, end);
      int tiles = tiling.end(p, first, end) - tile;
      long from = data + p * position + tile * input.tileBytes();
      long to = products + p * position + tile * output.tileBytes();
      long panel = transformed + p * kernel.position();
      for (int v = 0; v < vectors; v += 2) {
        int nr = Math.min(2, vectors - v) * LANES;
        for (int k = 0; k < channels; k += DEPTH) {
          Tile.run(
              from + 4L * k,
              input.tileBytes(),
              4,
              panel + 4L * k * nr,
              4L * nr,
              Math.min(DEPTH, channels - k),
              to + (long) v * BYTES,
              output.tileBytes(),
              tiles,
              nr,
              k == 0 ? Update.SET : Update.ADD,
              scratch);
        }
        panel += 4L * channels * nr;
      }
    }
  }
}
