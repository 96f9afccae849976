package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

import java.util.ArrayList;
import java.util.List;

/**
 * Gradient of a convolution with respect to its input.
 *
 * <p>Input pixels whose row and column agree modulo the stride see the same kernel taps: such a
 * phase is itself a dense convolution of gy with those taps, flipped and transposed. With stride 1
 * there is one phase. Where an image has few channels (the first layer, which attacks differentiate
 * through) that would leave most vector lanes empty; then gy times the transposed kernel gives all
 * taps of a pixel at once, and these are added into the image. The commonest of those windows have
 * a quicker way, {@link FewChannelsGradient}.
 */
public final class ConvInputGradient {
  private final ConvShape shape;
  private final List<Phase> phases = new ArrayList<>();
  private final FewChannelsGradient fewChannels; // or null
  private final boolean byTaps;
  private final Patches patches; // of the forward pass, for the few-channels way
  private final PatchProduct tapProduct;
  private final long tapScratch;
  private final long tapStride;
  private final long scratchBytes;

  /**
   * Input pixels (row + i * strideH, column + j * strideW).
   *
   * @param tapRows kernel rows that reach this phase, in the order in which patches hold them
   * @param tapColumns kernel columns likewise
   * @param product gy patches times packed kernel; null if no tap reaches the phase
   */
  private record Phase(
      int row,
      int column,
      int rows,
      int columns,
      int[] tapRows,
      int[] tapColumns,
      PatchProduct product) {}

  /** Prepares the gradient for a static shape. */
  public ConvInputGradient(ConvShape shape) {
    this.shape = shape;
    this.fewChannels = FewChannelsGradient.fits(shape) ? new FewChannelsGradient(shape) : null;
    int taps = shape.window().area() * shape.groupChannels();
    this.byTaps = shape.groupChannels() * 2 <= Species.LANES && taps > shape.groupChannels();
    if (byTaps) {
      patches = ConvForward.patches(shape);
      tapProduct =
          new PatchProduct(
              new Patches(
                  shape.outputHeight(),
                  shape.outputWidth(),
                  shape.filters(),
                  shape.groupFilters(),
                  shape.outputHeight(),
                  shape.outputWidth(),
                  1,
                  1,
                  new int[1],
                  new int[1]),
              shape.outputPixels(),
              taps,
              true);
      tapScratch = align(tapProduct.scratchBytes());
      // Room for whole vectors; an odd number of cache lines, as in patches.
      tapStride = ((4L * taps + 2 * Species.BYTES + 63) / 64 | 1) * 64;
      scratchBytes = tapScratch + tapProduct.rows() * tapStride;
      return;
    }
    patches = null;
    tapProduct = null;
    tapScratch = 0;
    tapStride = 0;
    WindowShape w = shape.window();
    for (int row = 0; row < Math.min(w.strideH(), shape.height()); row++) {
      for (int column = 0; column < Math.min(w.strideW(), shape.width()); column++) {
        phases.add(phase(row, column));
      }
    }
    long most = 0;
    for (Phase p : phases) {
      if (p.product != null) {
        long block = direct() ? 0 : (long) p.product.rows() * 4 * shape.groupChannels();
        most = Math.max(most, align(p.product.scratchBytes()) + block);
      }
    }
    scratchBytes = most;
  }

  private Phase phase(int row, int column) {
    WindowShape w = shape.window();
    int rows = (shape.height() - row + w.strideH() - 1) / w.strideH();
    int columns = (shape.width() - column + w.strideW() - 1) / w.strideW();
    int[] tapRows = taps(row, w.top(), w.height(), w.dilationH(), w.strideH());
    int[] tapColumns = taps(column, w.left(), w.width(), w.dilationW(), w.strideW());
    if (tapRows.length == 0 || tapColumns.length == 0) {
      return new Phase(row, column, rows, columns, tapRows, tapColumns, null);
    }
    Patches seen =
        new Patches(
            shape.outputHeight(),
            shape.outputWidth(),
            shape.filters(),
            shape.groupFilters(),
            rows,
            columns,
            1,
            1,
            offsets(tapRows, row, w.top(), w.dilationH(), w.strideH()),
            offsets(tapColumns, column, w.left(), w.dilationW(), w.strideW()));
    int pixels = Math.toIntExact((long) shape.batch() * rows * columns);
    PatchProduct product = new PatchProduct(seen, pixels, shape.groupChannels());
    return new Phase(row, column, rows, columns, tapRows, tapColumns, product);
  }

  /** Taps with (first + padding - tap * dilation) divisible by the stride, last tap first. */
  private static int[] taps(int first, int padding, int size, int dilation, int stride) {
    int[] found = new int[size];
    int n = 0;
    for (int tap = size - 1; tap >= 0; tap--) {
      if ((first + padding - tap * dilation) % stride == 0) {
        found[n++] = tap;
      }
    }
    return java.util.Arrays.copyOf(found, n);
  }

  /** The output position that each tap connects with the phase's first pixel. */
  private static int[] offsets(int[] taps, int first, int padding, int dilation, int stride) {
    int[] offsets = new int[taps.length];
    for (int i = 0; i < taps.length; i++) {
      offsets[i] = (first + padding - taps[i] * dilation) / stride;
    }
    return offsets;
  }

  /** Whether results can be written straight into place. */
  private boolean direct() {
    return shape.window().strideH() == 1 && shape.window().strideW() == 1;
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return fewChannels != null ? fewChannels.scratchBytes() : scratchBytes;
  }

  /**
   * Whether this kernel is quicker than oneDNN's, which leaves most lanes empty where an image has
   * few channels: 3.3 to 7 times on 28x28x1, 32x32x3 and 84x84x3 (AVX-512; see {@code vauban bench
   * --only kernels}).
   */
  public static boolean isQuick(ConvShape shape) {
    return FewChannelsGradient.fits(shape);
  }

  /**
   * Runs the gradient; the result must not overlap the operands.
   *
   * @param gy address of gy[N, OH, OW, K]
   * @param kernel address of kernel[KH, KW, C / groups, K]
   * @param gx address of the result [N, H, W, C]; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long gy, long kernel, long gx, long scratch) {
    if (fewChannels != null) {
      fewChannels.run(gy, kernel, gx, scratch);
      return;
    }
    if (byTaps) {
      Memory.zero(gx, 4L * shape.batch() * shape.height() * shape.width() * shape.channels());
    }
    for (int g = 0; g < shape.groups(); g++) {
      long filter = 4L * g * shape.groupFilters();
      long channel = 4L * g * shape.groupChannels();
      if (byTaps) {
        runByTaps(gy + filter, kernel + filter, gx + channel, scratch);
        continue;
      }
      for (int i = 0; i < phases.size(); i++) {
        runPhase(phases.get(i), gy + filter, kernel + filter, gx + channel, scratch);
      }
    }
  }

  private void runByTaps(long gy, long kernel, long gx, long scratch) {
    int pixels = shape.outputPixels();
    tapProduct.packTransposed(kernel, 4L * shape.filters(), 0, shape.groupFilters(), scratch);
    long block = scratch + tapScratch;
    for (int p = 0; p < pixels; p += tapProduct.rows()) {
      int count = Math.min(tapProduct.rows(), pixels - p);
      tapProduct.block(gy, p, count, block, tapStride, scratch);
      patches.scatterAdd(block, tapStride, p, count, gx);
    }
  }

  private void runPhase(Phase phase, long gy, long kernel, long gx, long scratch) {
    if (phase.product == null) {
      clear(phase, gx);
      return;
    }
    long filterBytes = 4L * shape.filters();
    int row = 0;
    for (int th : phase.tapRows) {
      for (int tw : phase.tapColumns) {
        long tap = (long) (th * shape.window().width() + tw) * shape.groupChannels();
        phase.product.packTransposed(
            kernel + tap * filterBytes, filterBytes, row, shape.groupFilters(), scratch);
        row += shape.groupFilters();
      }
    }
    if (direct()) {
      phase.product.run(gy, gx, 4L * shape.channels(), scratch);
      return;
    }
    long bytes = 4L * shape.groupChannels();
    long block = scratch + align(phase.product.scratchBytes());
    int pixels = shape.batch() * phase.rows * phase.columns;
    for (int p = 0; p < pixels; p += phase.product.rows()) {
      int count = Math.min(phase.product.rows(), pixels - p);
      phase.product.block(gy, p, count, block, bytes, scratch);
      for (int i = 0; i < count; i++) {
        Memory.copy(block + i * bytes, gx + pixelOffset(phase, p + i), bytes);
      }
    }
  }

  private void clear(Phase phase, long gx) {
    int pixels = shape.batch() * phase.rows * phase.columns;
    for (int p = 0; p < pixels; p++) {
      Memory.zero(gx + pixelOffset(phase, p), 4L * shape.groupChannels());
    }
  }

  private long pixelOffset(Phase phase, int pixel) {
    int perImage = phase.rows * phase.columns;
    long image = pixel / perImage;
    int row = phase.row + pixel % perImage / phase.columns * shape.window().strideH();
    int column = phase.column + pixel % phase.columns * shape.window().strideW();
    return 4L * shape.channels() * ((image * shape.height() + row) * shape.width() + column);
  }
}
