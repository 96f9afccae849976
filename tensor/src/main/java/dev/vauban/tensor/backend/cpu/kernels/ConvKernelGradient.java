package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

/**
 * Gradient of a convolution with respect to its kernel: patches(x) transposed, times gy, summed
 * over blocks of pixels. The order of the sum is fixed by the shape. 3x3 windows over images of few
 * channels have a quicker way, {@link FewChannelsKernelGradient}.
 */
public final class ConvKernelGradient {
  private static final long BLOCK = 256 << 10; // bytes of patches at a time: part of the L2 cache

  private static final long LARGE = 8 << 20; // bytes of gy

  private static final int TAPS = 48; // rows of the result at a time: three cache lines of patches

  private final ConvShape shape;
  private final Patches patches;
  private final int pixels;
  private final int rows;
  private final long patchBytes;
  private final FewChannelsKernelGradient fewChannels; // or null

  /** Prepares the gradient for a static shape. */
  public ConvKernelGradient(ConvShape shape) {
    this.shape = shape;
    this.fewChannels = FewChannelsRows.fits(shape) ? new FewChannelsKernelGradient(shape) : null;
    this.patches = ConvForward.patches(shape);
    this.pixels = shape.outputPixels();
    this.rows = Math.min(256, patches.blockRows(BLOCK, pixels));
    this.patchBytes = align(rows * patches.rowBytes());
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    if (fewChannels != null) {
      return fewChannels.scratchBytes();
    }
    int panels = (shape.groupFilters() + Tile.COLUMNS - 1) / Tile.COLUMNS;
    return Tile.SCRATCH_BYTES + patchBytes + 4L * panels * Tile.COLUMNS * rows;
  }

  /**
   * Whether this kernel is quicker than oneDNN's: 1.02 to 1.43 times for three or four channels and
   * filters that fill two vectors at most; 1.2 to 1.7 times for one channel where gy is large, so
   * that it comes from memory. Else oneDNN's mostly is (AVX-512; {@code docs/performance.md}).
   */
  public static boolean isQuick(ConvShape shape) {
    WindowShape w = shape.window();
    if (!FewChannelsRows.fits(shape) || w.strideH() > 1 || w.strideW() > 1) {
      return false;
    }
    return shape.channels() == 1
        ? 4L * shape.outputPixels() * shape.filters() > LARGE
        : shape.channels() > 2 && shape.filters() <= 2 * Species.LANES;
  }

  /**
   * Runs the gradient; the result must not overlap the operands.
   *
   * @param x address of x[N, H, W, C]
   * @param gy address of gy[N, OH, OW, K]
   * @param gKernel address of the result [KH, KW, C / groups, K]; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long x, long gy, long gKernel, long scratch) {
    if (fewChannels != null) {
      fewChannels.run(x, gy, gKernel, scratch);
      return;
    }
    long filterBytes = 4L * shape.filters();
    if (pixels == 0) {
      Memory.zero(gKernel, patches.columns() * filterBytes);
    }
    for (int g = 0; g < shape.groups(); g++) {
      long column = 4L * g * shape.groupFilters();
      long group = x + 4L * g * shape.groupChannels();
      for (int p = 0; p < pixels; p += rows) {
        int count = Math.min(rows, pixels - p);
        Update how = p == 0 ? Update.SET : Update.ADD;
        block(group, p, count, gy + p * filterBytes + column, gKernel + column, how, scratch);
      }
    }
  }

  private void block(
      long x, int first, int count, long gy, long gKernel, Update how, long scratch) {
    long filterBytes = 4L * shape.filters();
    int columns = shape.groupFilters();
    int taps = patches.columns();
    long a = scratch + Tile.SCRATCH_BYTES;
    long panels = a + patchBytes;
    long ks = patches.rowBytes();
    if (patches.identity()) {
      ks = patches.pixelBytes();
      a = x + first * ks;
    } else {
      patches.pack(x, first, count, a);
    }
    for (int j = 0; j < columns; j += Tile.COLUMNS) {
      int nr = Math.min(Tile.COLUMNS, columns - j);
      Panels.plain(gy + 4L * j, filterBytes, count, nr, panels + 4L * j * count);
    }
    for (int i = 0; i < taps; i += TAPS) {
      int mr = Math.min(TAPS, taps - i);
      for (int j = 0; j < columns; j += Tile.COLUMNS) {
        int nr = Math.min(Tile.COLUMNS, columns - j);
        Tile.run(
            a + 4L * i,
            4,
            ks,
            panels + 4L * j * count,
            4L * Tile.panelWidth(nr),
            count,
            gKernel + i * filterBytes + 4L * j,
            filterBytes,
            mr,
            nr,
            how,
            scratch);
      }
    }
  }
}
