package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/**
 * Rows of the im2col matrix, made on demand: row p holds what the window sees at output pixel p,
 * ordered [tap row, tap column, channel], with zeros where it hangs over the border. Only a block
 * of rows exists at a time, small enough to stay in the second-level cache.
 *
 * <p>Tap offsets are free, so the same code serves the convolution itself and, read over gy, each
 * phase of its input gradient.
 */
final class Patches {
  private final int height;
  private final int width;
  private final int gridHeight;
  private final int gridWidth;
  private final int strideH;
  private final int strideW;
  private final int[] rowOffsets;
  private final int[] columnOffsets;
  private final long pixelBytes; // one pixel of the source, all channels
  private final long tapBytes; // the channels of one group
  private final boolean dense; // neighbouring taps are neighbours in memory
  private final long rowBytes;

  /**
   * Describes the matrix.
   *
   * @param height rows of a source image
   * @param width columns of a source image
   * @param channels channels of the source
   * @param tapChannels channels that one tap reads
   * @param gridHeight output rows per image
   * @param gridWidth output columns per image
   * @param strideH source rows per output row
   * @param strideW source columns per output column
   * @param rowOffsets source row of each tap row at output row 0
   * @param columnOffsets source column of each tap column at output column 0
   */
  Patches(
      int height,
      int width,
      int channels,
      int tapChannels,
      int gridHeight,
      int gridWidth,
      int strideH,
      int strideW,
      int[] rowOffsets,
      int[] columnOffsets) {
    this.height = height;
    this.width = width;
    this.gridHeight = gridHeight;
    this.gridWidth = gridWidth;
    this.strideH = strideH;
    this.strideW = strideW;
    this.rowOffsets = rowOffsets;
    this.columnOffsets = columnOffsets;
    this.pixelBytes = 4L * channels;
    this.tapBytes = 4L * tapChannels;
    boolean consecutive = true;
    for (int i = 1; i < columnOffsets.length; i++) {
      consecutive &= columnOffsets[i] == columnOffsets[i - 1] + 1;
    }
    this.dense = consecutive && channels == tapChannels;
    // An odd number of cache lines: the rows of a tile then fall into different cache sets.
    long lines = (columns() * 4L + 63) / 64;
    this.rowBytes = (lines | 1) * 64;
  }

  /** Columns of the matrix: taps times channels. */
  int columns() {
    return (int) (rowOffsets.length * columnOffsets.length * (tapBytes / 4));
  }

  /** Bytes from one packed row to the next. */
  long rowBytes() {
    return rowBytes;
  }

  /** Bytes from one pixel of the source to the next. */
  long pixelBytes() {
    return pixelBytes;
  }

  /** Whether rows are the pixels themselves, so that the source can be read in place. */
  boolean identity() {
    return rowOffsets.length == 1
        && columnOffsets.length == 1
        && rowOffsets[0] == 0
        && columnOffsets[0] == 0
        && strideH == 1
        && strideW == 1
        && gridHeight == height
        && gridWidth == width;
  }

  /**
   * Writes rows {@code first} to {@code first + count - 1}.
   *
   * @param src address of the source's first channel of the group
   */
  void pack(long src, int first, int count, long dst) {
    int perImage = gridHeight * gridWidth;
    int image = first / perImage;
    int oh = first % perImage / gridWidth;
    int ow = first % gridWidth;
    long base = src + (long) image * height * width * pixelBytes;
    for (int p = 0; p < count; p++) {
      row(base, oh * strideH, ow * strideW, dst);
      dst += rowBytes;
      if (++ow == gridWidth) {
        ow = 0;
        if (++oh == gridHeight) {
          oh = 0;
          base += (long) height * width * pixelBytes;
        }
      }
    }
  }

  private void row(long base, int ih0, int iw0, long dst) {
    int taps = columnOffsets.length;
    long span = taps * tapBytes;
    int w0 = iw0 + columnOffsets[0];
    // Taps before `from` and from `to` on lie outside; only meaningful for dense rows.
    int from = Math.min(taps, Math.max(0, -w0));
    int to = Math.max(from, Math.min(taps, width - w0));
    for (int offset : rowOffsets) {
      int ih = ih0 + offset;
      if (ih < 0 || ih >= height) {
        zero(dst, span);
      } else if (dense) {
        long line = base + ((long) ih * width + w0) * pixelBytes;
        if (from == 0 && to == taps) {
          copy(line, dst, span);
        } else {
          zero(dst, from * tapBytes);
          copy(line + from * tapBytes, dst + from * tapBytes, (to - from) * tapBytes);
          zero(dst + to * tapBytes, (taps - to) * tapBytes);
        }
      } else {
        scattered(base + (long) ih * width * pixelBytes, iw0, dst);
      }
      dst += span;
    }
  }

  private void scattered(long line, int iw0, long dst) {
    for (int offset : columnOffsets) {
      int iw = iw0 + offset;
      if (iw < 0 || iw >= width) {
        zero(dst, tapBytes);
      } else {
        copy(line + iw * pixelBytes, dst, tapBytes);
      }
      dst += tapBytes;
    }
  }

  /** Copies floats; a vector loop without calls, since most spans are a few hundred bytes. */
  private static void copy(long src, long dst, long bytes) {
    long i = 0;
    for (; i <= bytes - BYTES; i += BYTES) {
      FloatVector.fromMemorySegment(F32, ALL, src + i, ORDER)
          .intoMemorySegment(ALL, dst + i, ORDER);
    }
    if (i < bytes) {
      var mask = F32.indexInRange(0, (int) (bytes - i) >> 2);
      FloatVector.fromMemorySegment(F32, ALL, src + i, ORDER, mask)
          .intoMemorySegment(ALL, dst + i, ORDER, mask);
    }
  }

  private static void zero(long dst, long bytes) {
    long i = 0;
    FloatVector none = FloatVector.zero(F32);
    for (; i <= bytes - BYTES; i += BYTES) {
      none.intoMemorySegment(ALL, dst + i, ORDER);
    }
    if (i < bytes) {
      none.intoMemorySegment(ALL, dst + i, ORDER, F32.indexInRange(0, (int) (bytes - i) >> 2));
    }
  }

  /**
   * Adds rows back to where {@link #pack} would read them from: the transpose of packing.
   *
   * @param from packed rows
   * @param stride bytes from one to the next
   * @param dst address of the source array's first channel of the group
   */
  void scatterAdd(long from, long stride, int first, int count, long dst) {
    int perImage = gridHeight * gridWidth;
    int image = first / perImage;
    int oh = first % perImage / gridWidth;
    int ow = first % gridWidth;
    long base = dst + (long) image * height * width * pixelBytes;
    for (int p = 0; p < count; p++) {
      addRow(from, base, oh * strideH, ow * strideW);
      from += stride;
      if (++ow == gridWidth) {
        ow = 0;
        if (++oh == gridHeight) {
          oh = 0;
          base += (long) height * width * pixelBytes;
        }
      }
    }
  }

  private void addRow(long tap, long base, int ih0, int iw0) {
    int taps = columnOffsets.length;
    int w0 = iw0 + columnOffsets[0];
    long from = Math.min(taps, Math.max(0, -w0)) * tapBytes; // dense rows only, as in packing
    long to = Math.max(from, Math.min(taps, width - w0) * tapBytes);
    for (int rowOffset : rowOffsets) {
      int ih = ih0 + rowOffset;
      if (ih >= 0 && ih < height) {
        long line = base + (long) ih * width * pixelBytes;
        if (dense) {
          ScatterAdd.add(tap + from, line + w0 * pixelBytes + from, to - from);
        } else {
          addScattered(tap, line, iw0);
        }
      }
      tap += taps * tapBytes;
    }
  }

  private void addScattered(long tap, long line, int iw0) {
    for (int columnOffset : columnOffsets) {
      int iw = iw0 + columnOffset;
      if (iw >= 0 && iw < width) {
        ScatterAdd.add(tap, line + iw * pixelBytes, tapBytes);
      }
      tap += tapBytes;
    }
  }

  /**
   * Rows per block: about {@code bytes} bytes, a multiple of the tile's rows, at least one tile.
   */
  int blockRows(long bytes, int total) {
    long rows = Math.max(1, bytes / rowBytes / Tile.ROWS) * Tile.ROWS;
    return (int) Math.min(rows, Math.max(Tile.ROWS, total));
  }
}
