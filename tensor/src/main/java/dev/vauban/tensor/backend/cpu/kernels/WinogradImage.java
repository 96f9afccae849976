package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/**
 * One array of images seen as tiles, and the two-dimensional transforms between its pixels and the
 * transformed tiles, which lie as [position, tile, channel] with channels padded to whole vectors.
 *
 * <p>Work goes by runs of neighbouring tiles in one row of tiles, and in a run by vectors of
 * channels: down the columns first, which neighbouring tiles share, then along the rows.
 */
final class WinogradImage {
  private static final int RUN = 8; // tiles at most, so that a strip of six rows stays in L1
  private static final int OUTPUTS = WinogradLines.OUTPUTS;
  private static final int INPUTS = WinogradLines.INPUTS;
  private static final int MARGIN = INPUTS - OUTPUTS;

  private final int height;
  private final int width;
  private final int channels;
  private final int tilesH;
  private final int tilesW;
  private final int top;
  private final int left;
  private final long pixel;
  private final int vectors;
  private final boolean ragged; // the last vector of a pixel is not whole: pixels are staged
  private final int maxRun;
  private final int tiles;
  private final int block;
  private final long stride; // bytes from one tile to the next in a panel
  private final int panel;
  private final long panelBytes;
  private final long position;

  private WinogradImage(
      int batch,
      int height,
      int width,
      int channels,
      int tilesH,
      int tilesW,
      int top,
      int left,
      int panel,
      int block) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.tilesH = tilesH;
    this.tilesW = tilesW;
    this.top = top;
    this.left = left;
    this.pixel = 4L * channels;
    this.vectors = (channels + LANES - 1) / LANES;
    this.ragged = channels % LANES != 0;
    this.maxRun = Math.min(RUN, tilesW);
    this.tiles = Math.multiplyExact(batch, Math.multiplyExact(tilesH, tilesW));
    this.panel = panel == 0 ? vectors : panel;
    this.stride = (long) this.panel * BYTES;
    this.block = Math.min(block, tiles);
    this.panelBytes = this.block * stride;
    this.position = Winograd.spread((vectors + this.panel - 1) / this.panel * panelBytes);
  }

  /** The images that {@code shape} convolves: tiles of 6x6 pixels that overlap in two. */
  static WinogradImage input(ConvShape s, int panel, int block) {
    return new WinogradImage(
        s.batch(),
        s.height(),
        s.width(),
        s.channels(),
        tiles(s.outputHeight()),
        tiles(s.outputWidth()),
        s.window().top(),
        s.window().left(),
        panel,
        block);
  }

  /** The images that result: tiles of 4x4 pixels. */
  static WinogradImage output(ConvShape s, int panel, int block) {
    return new WinogradImage(
        s.batch(),
        s.outputHeight(),
        s.outputWidth(),
        s.filters(),
        tiles(s.outputHeight()),
        tiles(s.outputWidth()),
        0,
        0,
        panel,
        block);
  }

  /** Tiles along a side of {@code outputs} pixels. */
  static int tiles(int outputs) {
    return (outputs + OUTPUTS - 1) / OUTPUTS;
  }

  /** Tiles of all images. */
  int tiles() {
    return tiles;
  }

  /** Bytes from one tile to the next. */
  long tileBytes() {
    return stride;
  }

  /** Tiles of one block. */
  int block() {
    return block;
  }

  /** Bytes from one panel of channels to the next. */
  long panelBytes() {
    return panelBytes;
  }

  /** Bytes from one position to the next, at least. */
  long position() {
    return position;
  }

  private long padded() {
    return (long) vectors * BYTES;
  }

  private long vector(int v) {
    return v / panel * panelBytes + (long) (v % panel) * BYTES;
  }

  long scratchBytes() {
    long columns = (long) OUTPUTS * maxRun + MARGIN;
    long strip = INPUTS * columns * BYTES;
    return BYTES + align(strip) + (ragged ? align(INPUTS * columns * padded()) : 0);
  }

  private int run(int tile, int end) {
    return Math.min(Math.min(maxRun, tilesW - tile % tilesW), end - tile);
  }

  /** Address of pixel (row, column) of the image that {@code tile} belongs to. */
  private long pixel(long images, int tile, int row, int column) {
    long image = tile / (tilesH * tilesW);
    return images + ((image * height + row) * width + column) * pixel;
  }

  private int rowOf(int tile) {
    return tile / tilesW % tilesH * OUTPUTS - top;
  }

  private int columnOf(int tile) {
    return tile % tilesW * OUTPUTS - left;
  }

  /**
   * {@code Bᵀ d B} of tiles {@code first} to {@code first + count - 1} of the convolved images.
   *
   * @param images address of the images
   * @param to address of the transformed tiles; positions lie {@code position} bytes apart
   */
  void data(long images, int first, int count, long to, long position, long scratch) {
    int end = first + count;
    for (int t = first; t < end; ) {
      int run = run(t, end);
      dataRun(images, t, run, to + (t - first) * stride, position, scratch);
      t += run;
    }
  }

  private void dataRun(
      long images, int tile, int run, long to, long position, long scratch) {
    int row = rowOf(tile);
    int column = columnOf(tile);
    int columns = OUTPUTS * run + MARGIN;
    int from = Math.min(columns, Math.max(0, -column));
    int n = Math.max(0, Math.min(columns, width - column) - from);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    Memory.zero(scratch, BYTES);
    WinogradLines.zeros(strip, stripRow, from);
    WinogradLines.zeros(strip + (from + n) * (long) BYTES, stripRow, columns - from - n);
    long start = pixel(images, tile, row, column + from);
    long line = width * pixel;
    long step = pixel;
    if (ragged) {
      long staged = strip + align(INPUTS * stripRow);
      stage(start, row, INPUTS, n, staged);
      start = staged;
      line = n * padded();
      step = padded();
    }
    boolean in0 = inside(row);
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    boolean in4 = inside(row + 4);
    boolean in5 = inside(row + 5);
    for (int v = 0; v < vectors; v++) {
      long at = start + (long) v * BYTES;
      WinogradLines.dataColumns(
          in0 ? at : scratch,
          in1 ? at + line : scratch,
          in2 ? at + 2 * line : scratch,
          in3 ? at + 3 * line : scratch,
          in4 ? at + 4 * line : scratch,
          in5 ? at + 5 * line : scratch,
          in0 ? step : 0,
          in1 ? step : 0,
          in2 ? step : 0,
          in3 ? step : 0,
          in4 ? step : 0,
          in5 ? step : 0,
          strip + from * (long) BYTES,
          stripRow,
          n);
      WinogradLines.dataRows(strip, stripRow, to + vector(v), position, stride, run);
    }
  }

  /** {@code A dy Aᵀ} of tiles of the gradient of the result; the layout is that of data. */
  void gradient(long images, int first, int count, long to, long scratch) {
    int end = first + count;
    for (int t = first; t < end; ) {
      int run = run(t, end);
      gradientRun(images, t, run, to + (t - first) * stride, scratch);
      t += run;
    }
  }

  private void gradientRun(long images, int tile, int run, long to, long scratch) {
    int row = rowOf(tile);
    int column = columnOf(tile);
    int columns = OUTPUTS * run;
    int n = Math.min(columns, width - column);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    Memory.zero(scratch, BYTES);
    WinogradLines.zeros(strip + n * (long) BYTES, stripRow, columns - n);
    long start = pixel(images, tile, row, column);
    long line = width * pixel;
    long step = pixel;
    if (ragged) {
      long staged = strip + align(INPUTS * stripRow);
      stage(start, row, OUTPUTS, n, staged);
      start = staged;
      line = n * padded();
      step = padded();
    }
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    for (int v = 0; v < vectors; v++) {
      long at = start + (long) v * BYTES;
      WinogradLines.gradientColumns(
          at,
          in1 ? at + line : scratch,
          in2 ? at + 2 * line : scratch,
          in3 ? at + 3 * line : scratch,
          step,
          in1 ? step : 0,
          in2 ? step : 0,
          in3 ? step : 0,
          strip,
          stripRow,
          n);
      WinogradLines.gradientRows(strip, stripRow, to + vector(v), position, stride, run);
    }
  }

  /** {@code Aᵀ m A} of the products of tiles, written to the images. */
  void output(long from, long position, int first, int count, long images, long scratch) {
    int end = first + count;
    for (int t = first; t < end; ) {
      int run = run(t, end);
      outputRun(from + (t - first) * stride, position, t, run, images, scratch);
      t += run;
    }
  }

  private void outputRun(
      long from, long position, int tile, int run, long images, long scratch) {
    int row = rowOf(tile);
    int column = columnOf(tile);
    int columns = OUTPUTS * run;
    int n = Math.min(columns, width - column);
    long strip = scratch + BYTES;
    long stripRow = (long) columns * BYTES;
    long result = pixel(images, tile, row, column);
    long start = result;
    long line = width * pixel;
    long step = pixel;
    if (ragged) {
      start = strip + align(INPUTS * stripRow);
      line = n * padded();
      step = padded();
    }
    boolean in1 = inside(row + 1);
    boolean in2 = inside(row + 2);
    boolean in3 = inside(row + 3);
    for (int v = 0; v < vectors; v++) {
      WinogradLines.outputRows(from + vector(v), position, stride, run, strip, stripRow);
      long at = start + (long) v * BYTES;
      WinogradLines.outputColumns(
          strip,
          stripRow,
          n,
          at,
          in1 ? at + line : scratch,
          in2 ? at + 2 * line : scratch,
          in3 ? at + 3 * line : scratch,
          step,
          in1 ? step : 0,
          in2 ? step : 0,
          in3 ? step : 0);
    }
    if (ragged) {
      for (int r = 0; r < OUTPUTS && inside(row + r); r++) {
        for (int c = 0; c < n; c++) {
          long to = result + r * width * pixel + c * pixel;
          Memory.copy(start + r * line + c * step, to, pixel);
        }
      }
    }
  }

  private boolean inside(int row) {
    return row >= 0 && row < height;
  }

  /** Copies {@code rows} rows of {@code n} pixels, those inside, to padded pixels. */
  private void stage(long from, int row, int rows, int n, long to) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; inside(row + r) && c < n; c++) {
        long at = from + r * width * pixel + c * pixel;
        Memory.copy(at, to + (r * (long) n + c) * padded(), pixel);
      }
    }
  }
}
