package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/**
 * The transformed kernel {@code G g Gᵀ}, laid out as {@link WinogradConvolution} reads it: 36
 * positions, at each a matrix of channels by filters in panels of two vectors of filters.
 *
 * <p>Every convolution transforms its kernel anew, even where others have the same: the result is
 * four times as large, and from beyond the second-level cache it takes longer to read than to make
 * (64 channels and filters: 14 microseconds for 590 KB).
 */
final class WinogradKernel {
  /** Which convolution it is for. */
  private enum Use {
    /** Images with the kernel. */
    FORWARD,
    /** Gradients of the result with the kernel turned by 180 degrees, filters for channels. */
    INPUT_GRADIENT
  }

  private static final long TEMPORARY = 18L * BYTES;

  private final Use use;
  private final int channels;
  private final int filters;
  private final int vectors;
  private final long position;

  private WinogradKernel(Use use, int channels, int filters) {
    this.use = use;
    this.channels = channels;
    this.filters = filters;
    this.vectors = Winograd.vectors(filters);
    this.position = Winograd.spread((long) channels * vectors * BYTES);
  }

  /** For the convolution itself. */
  static WinogradKernel forward(ConvShape s) {
    return new WinogradKernel(Use.FORWARD, s.channels(), s.filters());
  }

  /** For its gradient with respect to the images. */
  static WinogradKernel inputGradient(ConvShape s) {
    return new WinogradKernel(Use.INPUT_GRADIENT, s.filters(), s.channels());
  }

  /** Bytes of the transformed kernel. */
  long bytes() {
    return Winograd.POSITIONS * position;
  }

  /** Bytes from one position to the next. */
  long position() {
    return position;
  }

  private boolean staged() {
    return use == Use.INPUT_GRADIENT || filters % LANES != 0;
  }

  private long row() {
    return (long) vectors * BYTES;
  }

  /** Bytes that {@code run} needs as scratch. */
  long scratchBytes() {
    return TEMPORARY + (staged() ? align(9 * channels * row()) : 0);
  }

  /**
   * Transforms a kernel.
   *
   * @param kernel address of kernel[3, 3, C, K] of the convolution, for its gradient too
   * @param to address of {@link #bytes} bytes; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  void run(long kernel, long to, long scratch) {
    long from = kernel;
    if (staged()) {
      from = scratch + TEMPORARY;
      stage(kernel, from);
    }
    long row = row();
    long tap = channels * row;
    for (int v = 0; v < vectors; v += 2) {
      int n = Math.min(2, vectors - v);
      long panel = to + (long) v * BYTES * channels;
      for (int c = 0; c < channels; c++) {
        for (int i = 0; i < n; i++) {
          WinogradTaps.kernel(
              from + c * row + (long) (v + i) * BYTES,
              3 * tap,
              tap,
              scratch,
              panel + ((long) c * n + i) * BYTES,
              position);
        }
      }
    }
  }

  /** The kernel as the convolution at hand has it, with rows padded to whole vectors. */
  private void stage(long kernel, long to) {
    long row = row();
    if (use == Use.FORWARD) {
      for (int r = 0; r < 9 * channels; r++) {
        Memory.copy(kernel + r * 4L * filters, to + r * row, 4L * filters);
      }
      return;
    }
    long tap = 4L * channels * filters;
    for (int t = 0; t < 9; t++) {
      Transposer.run(
          4,
          kernel + t * tap,
          4L * channels,
          to + (8 - t) * channels * row,
          row,
          filters,
          channels);
    }
  }
}
