package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/**
 * Gradient of a convolution with respect to its kernel by Winograd's tiles (see {@link Winograd}),
 * the transpose of {@link WinogradConvolution}: the images' tiles are transformed by {@code Bᵀ},
 * those of the result's gradient by {@code A}, their products are summed over all tiles at each of
 * 36 positions, and {@code Gᵀ} makes nine taps of the sums.
 */
public final class WinogradKernelGradient {
  private static final int POSITIONS = Winograd.POSITIONS;
  private static final int PANEL = 2; // vectors side by side in tiles, all of one pair's products
  private static final int BLOCK = 48; // tiles; the meta-step's time is the same from 32 to 80

  private final ConvShape shape;
  private final WinogradTiling tiling;
  private final WinogradImage input;
  private final WinogradImage output;
  private final long kernelPosition;
  private final long dataPosition;
  private final long gradientPosition;
  private final int vectors;

  private final long paddedAt;
  private final long kernelAt;
  private final long dataAt;
  private final long gradientAt;
  private final long inputAt;
  private final long outputAt;
  private final long scratchBytes;

  /**
   * Prepares the gradient of a convolution of a static shape.
   *
   * @throws IllegalArgumentException if it does not {@linkplain Winograd#fits fit}
   */
  public WinogradKernelGradient(ConvShape shape) {
    this(shape, BLOCK);
  }

  WinogradKernelGradient(ConvShape shape, int block) {
    Winograd.check(shape);
    this.shape = shape;
    this.tiling = new WinogradTiling(shape, block);
    this.input = WinogradImage.input(shape, tiling, PANEL);
    this.output = WinogradImage.output(shape, tiling, PANEL);
    this.vectors = Winograd.vectors(shape.filters());
    this.kernelPosition = Winograd.spread((long) shape.channels() * vectors * BYTES);
    this.dataPosition = input.position();
    this.gradientPosition = output.position();
    long at = Tile.SCRATCH_BYTES + align(18L * BYTES);
    paddedAt = at;
    if (shape.filters() % LANES != 0) {
      at += align(9L * shape.channels() * vectors * BYTES);
    }
    kernelAt = at;
    at += POSITIONS * kernelPosition;
    dataAt = at;
    at += POSITIONS * dataPosition;
    gradientAt = at;
    at += POSITIONS * gradientPosition;
    inputAt = at;
    at += input.scratchBytes();
    outputAt = at;
    scratchBytes = at + output.scratchBytes();
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return scratchBytes;
  }

  /**
   * Runs the gradient; the result must not overlap an operand.
   *
   * @param x address of x[N, H, W, C]
   * @param gy address of the result's gradient gy[N, OH, OW, K]
   * @param gKernel address of the gradient[3, 3, C, K]; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long x, long gy, long gKernel, long scratch) {
    int lines = tiling.lines();
    if (lines == 0) {
      Memory.zero(gKernel, 36L * shape.channels() * shape.filters());
      return;
    }
    for (int first = 0; first < lines; first += tiling.blockLines()) {
      int end = Math.min(first + tiling.blockLines(), lines);
      input.data(x, first, end, scratch + dataAt, dataPosition, scratch + inputAt);
      output.gradient(gy, first, end, scratch + gradientAt, gradientPosition, scratch + outputAt);
      multiply(first, end, first == 0 ? Update.SET : Update.ADD, scratch);
    }
    transform(gKernel, scratch);
  }

  private void multiply(int first, int end, Update how, long scratch) {
    int channels = shape.channels();
    int rows = PANEL * LANES;
    long cs = (long) vectors * BYTES;
    for (int p = 0; p < POSITIONS; p++) {
      int tile = tiling.first(p, first, end);
      int tiles = tiling.end(p, first, end) - tile;
      long data = scratch + dataAt + p * dataPosition + tile * input.tileBytes();
      long gradient = scratch + gradientAt + p * gradientPosition + tile * output.tileBytes();
      long sums = scratch + kernelAt + p * kernelPosition;
      for (int v = 0; v < vectors; v += PANEL) {
        int columns = Math.min(PANEL, vectors - v) * LANES;
        for (int c = 0; c < channels; c += rows) {
          Tile.run(
              data + c / rows * input.panelBytes(),
              4,
              input.tileBytes(),
              gradient + v / PANEL * output.panelBytes(),
              output.tileBytes(),
              tiles,
              sums + c * cs + (long) v * BYTES,
              cs,
              Math.min(rows, channels - c),
              columns,
              how,
              scratch);
        }
      }
    }
  }

  private void transform(long gKernel, long scratch) {
    int channels = shape.channels();
    boolean padded = shape.filters() % LANES != 0;
    long to = padded ? scratch + paddedAt : gKernel;
    long row = (long) vectors * BYTES;
    long tap = channels * row;
    for (int c = 0; c < channels; c++) {
      for (int v = 0; v < vectors; v++) {
        WinogradTaps.kernelGradient(
            scratch + kernelAt + c * row + (long) v * BYTES,
            kernelPosition,
            scratch + Tile.SCRATCH_BYTES,
            to + c * row + (long) v * BYTES,
            3 * tap,
            tap);
      }
    }
    if (padded) {
      long bytes = 4L * shape.filters();
      for (int r = 0; r < 9 * channels; r++) {
        Memory.copy(to + r * row, gKernel + r * bytes, bytes);
      }
    }
  }
}
