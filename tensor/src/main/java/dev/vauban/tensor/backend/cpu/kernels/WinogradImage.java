package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.INPUTS;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradTiling.FOUR;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradTiling.THREE;

/**
 * One array of images seen as tiles, and the two-dimensional transforms between its pixels and the
 * transformed tiles, which lie as [position, panel of channels, tile, channel of the panel] with
 * channels padded to whole vectors and tiles in the order of {@link WinogradTiling}.
 *
 * <p>Work goes by runs of neighbouring tiles in one line, and in a run by vectors of channels: down
 * the columns first, which neighbouring tiles share, into a strip of six rows of vectors, then
 * along the strip's rows. Tiles of three rows have only rows 1 to 5 of the strip.
 */
final class WinogradImage {
  private static final int RUN = 8; // tiles at most, so that a strip stays in the first-level cache
  private static final int MARGIN = INPUTS - FOUR;
  private static final int WHOLE = Integer.MAX_VALUE;

  private final WinogradTiling tiling;
  private final int height;
  private final int width;
  private final int top;
  private final int left;
  private final long pixel; // bytes from one pixel to the next
  private final long padded; // the same in whole vectors
  private final int vectors;
  private final boolean ragged; // the last vector of a pixel is not whole: pixels are staged
  private final int panel; // vectors of one panel
  private final long tileBytes;
  private final long panelBytes;

  private WinogradImage(
      WinogradTiling tiling, int height, int width, int channels, int top, int left, int panel) {
    this.tiling = tiling;
    this.height = height;
    this.width = width;
    this.top = top;
    this.left = left;
    this.pixel = 4L * channels;
    this.vectors = Winograd.vectors(channels);
    this.padded = (long) vectors * BYTES;
    this.ragged = channels % LANES != 0;
    this.panel = Math.min(panel, vectors);
    this.tileBytes = (long) this.panel * BYTES;
    this.panelBytes = tiling.blockTiles() * tileBytes;
  }

  /** The images that {@code s} convolves, all channels in one panel. */
  static WinogradImage input(ConvShape s, WinogradTiling tiling) {
    return input(s, tiling, WHOLE);
  }

  /** The images that {@code s} convolves: tiles that overlap in two pixels. */
  static WinogradImage input(ConvShape s, WinogradTiling tiling, int panel) {
    WindowShape w = s.window();
    return new WinogradImage(tiling, s.height(), s.width(), s.channels(), w.top(), w.left(), panel);
  }

  /** The images that result, all channels in one panel. */
  static WinogradImage output(ConvShape s, WinogradTiling tiling) {
    return output(s, tiling, WHOLE);
  }

  /** The images that result. */
  static WinogradImage output(ConvShape s, WinogradTiling tiling, int panel) {
    return new WinogradImage(tiling, s.outputHeight(), s.outputWidth(), s.filters(), 0, 0, panel);
  }

  /** Bytes from one tile to the next. */
  long tileBytes() {
    return tileBytes;
  }

  /** Bytes from one panel of channels to the next. */
  long panelBytes() {
    return panelBytes;
  }

  /** Bytes from one position to the next, at least. */
  long position() {
    return Winograd.spread((vectors + panel - 1) / panel * panelBytes);
  }

  /** Where vector {@code v} of a pixel lies in a position. */
  private long vector(int v) {
    return v / panel * panelBytes + (long) (v % panel) * BYTES;
  }

  /** Bytes that each transform needs as scratch. */
  long scratchBytes() {
    long columns = (long) FOUR * Math.min(RUN, tiling.tiles()) + MARGIN;
    return BYTES + align(INPUTS * columns * BYTES) + (ragged ? INPUTS * columns * padded : 0);
  }

  /** Address of pixel (row, column) of the image that {@code line} belongs to. */
  private long pixel(long images, int line, int row, int column) {
    return images + (((long) tiling.image(line) * height + row) * width + column) * pixel;
  }

  private boolean inside(int row) {
    return row >= 0 && row < height;
  }

  /**
   * {@code Bᵀ d B} of a block of the convolved images.
   *
   * @param images address of the images
   * @param first the block's first line
   * @param end its last line + 1
   * @param to address of the transformed tiles
   * @param position bytes from one position to the next
   */
  void data(long images, int first, int end, long to, long position, long scratch) {
    for (int line = first; line < end; line++) {
      for (int tile = 0; tile < tiling.tiles(); tile += RUN) {
        int run = Math.min(RUN, tiling.tiles() - tile);
        int fours = tiling.foursOf(tile, run);
        long to4 = to + tiling.slot(line, tile, first, end) * tileBytes;
        long to3 = to + tiling.slot(line, tile + fours, first, end) * tileBytes;
        dataRun(images, line, tile, run, fours, to4, to3, position, scratch);
      }
    }
  }

  private void dataRun(
      long images,
      int line,
      int tile,
      int run,
      int fours,
      long to4,
      long to3,
      long position,
      long scratch) {
    int rows = tiling.rows(line);
    int row = tiling.row(line) - top;
    int column = tiling.column(tile) - left;
    int columns = THREE * run + fours + MARGIN;
    int from = Math.min(columns, Math.max(0, -column));
    int n = Math.max(0, Math.min(columns, width - column) - from);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    Memory.zero(scratch, BYTES);
    WinogradLines.zeros(strip, stripRow, from);
    WinogradLines.zeros(strip + (from + n) * (long) BYTES, stripRow, columns - from - n);
    long start = pixel(images, line, row, column + from);
    long next = width * pixel;
    long step = pixel;
    if (ragged) {
      long staged = strip + align(INPUTS * stripRow);
      stage(start, row, rows + MARGIN, n, staged);
      start = staged;
      next = n * padded;
      step = padded;
    }
    boolean in0 = inside(row);
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    boolean in4 = inside(row + 4);
    boolean in5 = inside(row + 5);
    int skipped = FOUR - rows;
    for (int v = 0; v < vectors; v++) {
      long at = start + (long) v * BYTES;
      if (rows == FOUR) {
        WinogradLines.dataColumns(
            in0 ? at : scratch,
            in1 ? at + next : scratch,
            in2 ? at + 2 * next : scratch,
            in3 ? at + 3 * next : scratch,
            in4 ? at + 4 * next : scratch,
            in5 ? at + 5 * next : scratch,
            in0 ? step : 0,
            in1 ? step : 0,
            in2 ? step : 0,
            in3 ? step : 0,
            in4 ? step : 0,
            in5 ? step : 0,
            strip + from * (long) BYTES,
            stripRow,
            n);
      } else {
        WinogradShortLines.dataColumns(
            in0 ? at : scratch,
            in1 ? at + next : scratch,
            in2 ? at + 2 * next : scratch,
            in3 ? at + 3 * next : scratch,
            in4 ? at + 4 * next : scratch,
            in0 ? step : 0,
            in1 ? step : 0,
            in2 ? step : 0,
            in3 ? step : 0,
            in4 ? step : 0,
            strip + from * (long) BYTES,
            stripRow,
            n);
      }
      long out = vector(v);
      long threes = strip + (long) FOUR * fours * BYTES;
      WinogradLines.dataRows(strip, stripRow, skipped, to4 + out, position, tileBytes, fours);
      WinogradShortLines.dataRows(
          threes, stripRow, skipped, to3 + out, position, tileBytes, run - fours);
    }
  }

  /** {@code A dy Aᵀ} of a block of the gradient of the result; the layout is that of data. */
  void gradient(long images, int first, int end, long to, long position, long scratch) {
    for (int line = first; line < end; line++) {
      for (int tile = 0; tile < tiling.tiles(); tile += RUN) {
        int run = Math.min(RUN, tiling.tiles() - tile);
        int fours = tiling.foursOf(tile, run);
        long to4 = to + tiling.slot(line, tile, first, end) * tileBytes;
        long to3 = to + tiling.slot(line, tile + fours, first, end) * tileBytes;
        gradientRun(images, line, tile, run, fours, to4, to3, position, scratch);
      }
    }
  }

  private void gradientRun(
      long images,
      int line,
      int tile,
      int run,
      int fours,
      long to4,
      long to3,
      long position,
      long scratch) {
    int rows = tiling.rows(line);
    int row = tiling.row(line);
    int column = tiling.column(tile);
    int columns = THREE * run + fours;
    int n = Math.min(columns, width - column);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    Memory.zero(scratch, BYTES);
    WinogradLines.zeros(strip + n * (long) BYTES, stripRow, columns - n);
    long start = pixel(images, line, row, column);
    long next = width * pixel;
    long step = pixel;
    if (ragged) {
      long staged = strip + align(INPUTS * stripRow);
      stage(start, row, rows, n, staged);
      start = staged;
      next = n * padded;
      step = padded;
    }
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    int skipped = FOUR - rows;
    for (int v = 0; v < vectors; v++) {
      long at = start + (long) v * BYTES;
      long at1 = in1 ? at + next : scratch;
      long at2 = in2 ? at + 2 * next : scratch;
      long step1 = in1 ? step : 0;
      long step2 = in2 ? step : 0;
      if (rows == FOUR) {
        long at3 = in3 ? at + 3 * next : scratch;
        long step3 = in3 ? step : 0;
        WinogradLines.gradientColumns(
            at, at1, at2, at3, step, step1, step2, step3, strip, stripRow, n);
      } else {
        WinogradShortLines.gradientColumns(at, at1, at2, step, step1, step2, strip, stripRow, n);
      }
      long out = vector(v);
      long threes = strip + (long) FOUR * fours * BYTES;
      WinogradLines.gradientRows(strip, stripRow, skipped, to4 + out, position, tileBytes, fours);
      WinogradShortLines.gradientRows(
          threes, stripRow, skipped, to3 + out, position, tileBytes, run - fours);
    }
  }

  /** {@code Aᵀ m A} of the products of a block, written to the images. */
  void output(long from, long position, int first, int end, long images, long scratch) {
    for (int line = first; line < end; line++) {
      for (int tile = 0; tile < tiling.tiles(); tile += RUN) {
        int run = Math.min(RUN, tiling.tiles() - tile);
        int fours = tiling.foursOf(tile, run);
        long from4 = from + tiling.slot(line, tile, first, end) * tileBytes;
        long from3 = from + tiling.slot(line, tile + fours, first, end) * tileBytes;
        outputRun(from4, from3, position, line, tile, run, fours, images, scratch);
      }
    }
  }

  private void outputRun(
      long from4,
      long from3,
      long position,
      int line,
      int tile,
      int run,
      int fours,
      long images,
      long scratch) {
    int rows = tiling.rows(line);
    int row = tiling.row(line);
    int column = tiling.column(tile);
    int columns = THREE * run + fours;
    int n = Math.min(columns, width - column);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    long result = pixel(images, line, row, column);
    long start = result;
    long next = width * pixel;
    long step = pixel;
    if (ragged) {
      start = strip + align(INPUTS * stripRow);
      next = n * padded;
      step = padded;
    }
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    int skipped = FOUR - rows;
    for (int v = 0; v < vectors; v++) {
      long in = vector(v);
      long threes = strip + (long) FOUR * fours * BYTES;
      WinogradLines.outputRows(from4 + in, position, tileBytes, fours, skipped, strip, stripRow);
      WinogradShortLines.outputRows(
          from3 + in, position, tileBytes, run - fours, skipped, threes, stripRow);
      long at = start + (long) v * BYTES;
      long at1 = in1 ? at + next : scratch;
      long at2 = in2 ? at + 2 * next : scratch;
      long step1 = in1 ? step : 0;
      long step2 = in2 ? step : 0;
      if (rows == FOUR) {
        long at3 = in3 ? at + 3 * next : scratch;
        long step3 = in3 ? step : 0;
        WinogradLines.outputColumns(
            strip, stripRow, n, at, at1, at2, at3, step, step1, step2, step3);
      } else {
        WinogradShortLines.outputColumns(strip, stripRow, n, at, at1, at2, step, step1, step2);
      }
    }
    if (ragged) {
      for (int r = 0; r < rows && inside(row + r); r++) {
        for (int c = 0; c < n; c++) {
          Memory.copy(start + r * next + c * step, result + (r * (long) width + c) * pixel, pixel);
        }
      }
    }
  }

  /** Copies {@code rows} rows of {@code n} pixels, those inside, to padded pixels. */
  private void stage(long from, int row, int rows, int n, long to) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; inside(row + r) && c < n; c++) {
        Memory.copy(from + (r * (long) width + c) * pixel, to + (r * (long) n + c) * padded, pixel);
      }
    }
  }
}
