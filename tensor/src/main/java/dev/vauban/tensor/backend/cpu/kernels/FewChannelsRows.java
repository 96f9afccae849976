package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

/**
 * Rows of images of one to four channels with their padding, as the first layer of a network reads
 * them: a block of rows of results and all rows that their windows see. What a 3x3 window sees of a
 * row are then 3 C neighbouring numbers, and no window is a special case.
 *
 * <p>The numbers are taken in threes: a window has three of them per channel, in the order in which
 * a kernel [row, column, channel] is stored, and {@link #three} says where each begins.
 */
final class FewChannelsRows {
  private static final int SIDE = 3;
  private static final int CHANNELS = 4;
  private static final long THREE_BYTES = 3 * Float.BYTES;
  private static final long BLOCK = 8 << 10; // bytes of rows: a quarter of the L1 cache

  private final ConvShape shape;
  private final int block;
  private final long rowBytes;
  private final long leftBytes;
  private final long insideBytes;
  private final long imageRow;

  FewChannelsRows(ConvShape shape) {
    this.shape = shape;
    WindowShape w = shape.window();
    long pixel = 4L * shape.channels();
    int columns = (shape.outputWidth() - 1) * w.strideW() + SIDE;
    int left = Math.min(w.left(), columns);
    this.leftBytes = left * pixel;
    this.insideBytes = Math.min(shape.width(), columns - left) * pixel;
    this.imageRow = shape.width() * pixel;
    this.rowBytes = align(columns * pixel);
    long rows = (BLOCK / rowBytes - SIDE) / w.strideH() + 1;
    this.block = (int) Math.max(1, Math.min(rows, shape.outputHeight()));
  }

  /** Whether a convolution has such windows, and filters that fill vectors. */
  static boolean fits(ConvShape s) {
    WindowShape w = s.window();
    return s.channels() <= CHANNELS
        && s.filters() % Species.LANES == 0
        && s.groups() == 1
        && w.height() == SIDE
        && w.width() == SIDE
        && w.dilationH() == 1
        && w.dilationW() == 1;
  }

  /** Most rows of results at a time. */
  int block() {
    return block;
  }

  /** Bytes of the scratch area. */
  long scratchBytes() {
    return ((long) (block - 1) * shape.window().strideH() + SIDE) * rowBytes;
  }

  /** Bytes from the window of a result to that of the next one. */
  long step() {
    return 4L * shape.window().strideW() * shape.channels();
  }

  /** Bytes from the windows of a row of results to those of the next one. */
  long rowStep() {
    return shape.window().strideH() * rowBytes;
  }

  /** Address of number {@code 3 n} of the window of the first result of row {@code i}. */
  long three(int i, int n, long scratch) {
    int channels = shape.channels();
    return scratch + i * rowStep() + n / channels * rowBytes + n % channels * THREE_BYTES;
  }

  /** To be called once before {@link #read}: margins stay zero. */
  void prepare(long scratch) {
    Memory.zero(scratch, scratchBytes());
  }

  /** Reads what {@code count} rows of results of an image see, from row {@code first} on. */
  void read(long x, int image, int first, int count, long scratch) {
    int stride = shape.window().strideH();
    int top = first * stride - shape.window().top();
    int rows = (count - 1) * stride + SIDE;
    long from = x + (long) image * shape.height() * imageRow;
    for (int r = 0; r < rows; r++) {
      long to = scratch + r * rowBytes + leftBytes;
      int i = top + r;
      if (i >= 0 && i < shape.height()) {
        Memory.copy(from + i * imageRow, to, insideBytes);
      } else {
        Memory.zero(to, insideBytes);
      }
    }
  }
}
