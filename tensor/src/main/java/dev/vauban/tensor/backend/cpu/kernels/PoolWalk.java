package dev.vauban.tensor.backend.cpu.kernels;

/** For each output row and column: where its window lies and which of its taps are inside. */
final class PoolWalk {
  final int batch;
  final int rows; // of the output
  final int columns;
  final int channels;
  final int windowWidth;
  final long imageBytes; // of the input
  final long rowBytes; // of the input, from one tap row to the next
  final long columnBytes; // of the input, from one tap column to the next
  final long pixelBytes; // of the output, and of one input pixel
  final int[] rowFrom;
  final int[] rowTo;
  final int[] columnFrom;
  final int[] columnTo;
  private final long[] rowStart; // bytes to tap row 0; negative over padding
  private final long[] columnStart;

  PoolWalk(PoolShape s) {
    WindowShape w = s.window();
    batch = s.batch();
    rows = s.outputHeight();
    columns = s.outputWidth();
    channels = s.channels();
    windowWidth = w.width();
    pixelBytes = 4L * s.channels();
    imageBytes = s.height() * s.width() * pixelBytes;
    rowBytes = w.dilationH() * s.width() * pixelBytes;
    columnBytes = w.dilationW() * pixelBytes;
    rowFrom = new int[rows];
    rowTo = new int[rows];
    rowStart = new long[rows];
    for (int i = 0; i < rows; i++) {
      int start = i * w.strideH() - w.top();
      rowFrom[i] = from(start, w.height(), w.dilationH());
      rowTo[i] = Math.max(rowFrom[i], to(start, w.height(), w.dilationH(), s.height()));
      rowStart[i] = start * s.width() * pixelBytes;
    }
    columnFrom = new int[columns];
    columnTo = new int[columns];
    columnStart = new long[columns];
    for (int j = 0; j < columns; j++) {
      int start = j * w.strideW() - w.left();
      columnFrom[j] = from(start, w.width(), w.dilationW());
      columnTo[j] = Math.max(columnFrom[j], to(start, w.width(), w.dilationW(), s.width()));
      columnStart[j] = start * pixelBytes;
    }
  }

  private static int from(int start, int size, int dilation) {
    return start >= 0 ? 0 : Math.min(size, (-start + dilation - 1) / dilation);
  }

  private static int to(int start, int size, int dilation, int extent) {
    return Math.min(size, Math.ceilDiv(extent - start, dilation));
  }

  /** Bytes from an image's start to tap (0, 0) of output pixel (i, j), which may be outside. */
  long offset(int i, int j) {
    return rowStart[i] + columnStart[j];
  }
}
