package dev.vauban.tensor.backend.cpu.kernels;

/**
 * A 3x3 convolution of images of one to four channels, the first layer of a network. Nine numbers
 * of a window times two vectors of filters at a time, so that this part of the kernel stays in
 * registers while a row of results passes; one channel is done then, others add to the row, which
 * is in the first-level cache.
 */
final class FewChannelsForward {
  private final ConvShape shape;
  private final FewChannelsRows rows;

  FewChannelsForward(ConvShape shape) {
    this.shape = shape;
    this.rows = new FewChannelsRows(shape);
  }

  long scratchBytes() {
    return rows.scratchBytes();
  }

  /** As {@link ConvForward#run}. */
  void run(long x, long kernel, long y, long scratch) {
    rows.prepare(scratch);
    int height = shape.outputHeight();
    long row = 4L * shape.outputWidth() * shape.filters();
    for (int n = 0; n < shape.batch(); n++) {
      for (int i = 0; i < height; i += rows.block()) {
        int count = Math.min(rows.block(), height - i);
        rows.read(x, n, i, count, scratch);
        for (int r = 0; r < count; r++) {
          row(r, kernel, y, scratch);
          y += row;
        }
      }
    }
  }

  /** Row {@code i} of the block's results. */
  private void row(int i, long kernel, long y, long scratch) {
    long filterBytes = 4L * shape.filters();
    int width = shape.outputWidth();
    long step = rows.step();
    for (int n = 0; n < 3 * shape.channels(); n += 3) {
      long r0 = rows.three(i, n, scratch);
      long r1 = rows.three(i, n + 1, scratch);
      long r2 = rows.three(i, n + 2, scratch);
      Update how = n == 0 ? Update.SET : Update.ADD;
      FewChannelsTile.run(
          r0, r1, r2, step, kernel, filterBytes, y, filterBytes, width, shape.filters(), how);
      kernel += 9 * filterBytes;
    }
  }
}
