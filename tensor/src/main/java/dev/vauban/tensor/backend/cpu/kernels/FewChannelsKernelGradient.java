package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/**
 * Gradient of a 3x3 convolution of images of one to four channels with respect to its kernel. Nine
 * taps times two vectors of filters are summed in registers over a few rows, and then added to what
 * earlier rows gave, so that no sum has many terms one after another. The order is fixed by the
 * shape.
 */
final class FewChannelsKernelGradient {
  private static final long BLOCK = 48 << 10; // bytes of gy at a time

  // Nine taps times two vectors take 21 registers, which only machines with 512 bits have.
  private static final int VECTORS = LANES == 16 ? 2 : 1;

  private final ConvShape shape;
  private final FewChannelsRows rows;
  private final int block; // rows of results at a time
  private final long rowsAt;

  FewChannelsKernelGradient(ConvShape shape) {
    this.shape = shape;
    this.rows = new FewChannelsRows(shape);
    long gyRow = 4L * shape.outputWidth() * shape.filters();
    this.block = (int) Math.max(1, Math.min(rows.block(), BLOCK / gyRow));
    this.rowsAt = align(FewChannelsSums.SCRATCH_BYTES);
  }

  long scratchBytes() {
    return rowsAt + rows.scratchBytes();
  }

  /** As {@link ConvKernelGradient#run}. */
  void run(long x, long gy, long gKernel, long scratch) {
    long at = scratch + rowsAt;
    Memory.zero(gKernel, 36L * shape.channels() * shape.filters());
    rows.prepare(at);
    int height = shape.outputHeight();
    long row = 4L * shape.outputWidth() * shape.filters();
    for (int n = 0; n < shape.batch(); n++) {
      for (int i = 0; i < height; i += block) {
        int count = Math.min(block, height - i);
        rows.read(x, n, i, count, at);
        add(gy, gKernel, count, scratch);
        gy += count * row;
      }
    }
  }

  /** Adds what the block's {@code count} rows give. */
  private void add(long gy, long gKernel, int count, long scratch) {
    long filterBytes = 4L * shape.filters();
    int width = shape.outputWidth();
    long step = rows.step();
    long skip = rows.rowStep() - step * width;
    long at = scratch + rowsAt;
    for (int j = 0; j < shape.filters(); ) {
      int vectors = Math.min(VECTORS, (shape.filters() - j) / LANES);
      for (int n = 0; n < 3 * shape.channels(); n += 3) {
        FewChannelsSums.run(
            rows.three(0, n, at),
            rows.three(0, n + 1, at),
            rows.three(0, n + 2, at),
            step,
            skip,
            gy + 4L * j,
            filterBytes,
            count,
            width,
            gKernel + 3 * n * filterBytes + 4L * j,
            filterBytes,
            vectors,
            scratch);
      }
      j += vectors * LANES;
    }
  }
}
