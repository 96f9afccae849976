package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Gradient of a dense 3x3 convolution with respect to images of one to four channels: what every
 * step of an attack ends with.
 *
 * <p>A row of gy times the transposed kernel gives, for each of its pixels, a column: what it adds
 * to each of the nine pixels under it. An image row needs three such rows of columns, which stay in
 * a ring; a pixel of the image is the sum of nine pieces of nine columns. Columns and rows beyond
 * the border are zeros, so no pixel is a special case. All reads and writes of pieces are of four
 * floats: what is too much in a write is overwritten by the next pixel.
 */
final class FewChannelsGradient {
  /** Most channels: one piece. */
  private static final int CHANNELS = 4;

  private static final int SIDE = 3;
  private static final VectorSpecies<Float> PIECE = FloatVector.SPECIES_128;
  private static final int PIECE_BYTES = PIECE.length() * Float.BYTES;

  private final ConvShape shape;
  private final int left;
  private final int top;
  private final int taps; // of a column: window positions times channels
  private final int margin; // columns of zeros before those of a row
  private final long columnBytes;
  private final long rowBytes;
  private final long rows; // three of the ring, and one of zeros
  private final long staged; // rows at the end of the result, which must not be exceeded
  private final long scratchBytes;

  FewChannelsGradient(ConvShape shape) {
    this.shape = shape;
    this.left = shape.window().left();
    this.top = shape.window().top();
    this.taps = SIDE * SIDE * shape.channels();
    this.margin = Math.max(0, SIDE - 1 - left);
    int whole = (taps + LANES - 1) / LANES * LANES;
    this.columnBytes = 4L * whole;
    // The last piece of the last column may be read past its end.
    int columns = margin + Math.max(shape.outputWidth(), shape.width() + left);
    this.rowBytes = align(columns * columnBytes + PIECE_BYTES);
    this.rows = Tile.SCRATCH_BYTES + align(columnBytes * shape.filters());
    this.staged = rows + (SIDE + 1) * rowBytes;
    this.scratchBytes = staged + align(4L * shape.width() * shape.channels() + PIECE_BYTES);
  }

  /** Whether this way is open to a convolution. */
  static boolean fits(ConvShape s) {
    WindowShape w = s.window();
    return s.channels() <= CHANNELS
        && s.groups() == 1
        && w.height() == SIDE
        && w.width() == SIDE
        && w.strideH() == 1
        && w.strideW() == 1
        && w.dilationH() == 1
        && w.dilationW() == 1;
  }

  long scratchBytes() {
    return scratchBytes;
  }

  /** As {@link ConvInputGradient#run}. */
  void run(long gy, long kernel, long gx, long scratch) {
    pack(kernel, scratch);
    Memory.zero(scratch + rows, (SIDE + 1) * rowBytes);
    long gyRow = 4L * shape.outputWidth() * shape.filters();
    long gxRow = 4L * shape.width() * shape.channels();
    long end = gx + shape.batch() * shape.height() * gxRow;
    for (int n = 0; n < shape.batch(); n++) {
      int done = 0; // rows of gy whose columns have been computed
      for (int i = 0; i < shape.height(); i++) {
        for (; done < shape.outputHeight() && done <= i + top; done++) {
          columns(gy, done, scratch);
          gy += gyRow;
        }
        boolean exceeds = gx + gxRow + PIECE_BYTES > end;
        long to = exceeds ? scratch + staged : gx;
        sum(row(i + top, scratch), row(i + top - 1, scratch), row(i + top - 2, scratch), to);
        if (exceeds) {
          Memory.copy(to, gx, gxRow);
        }
        gx += gxRow;
      }
      gy += (shape.outputHeight() - done) * gyRow; // rows that see padding only
    }
  }

  private void pack(long kernel, long scratch) {
    long filterBytes = 4L * shape.filters();
    long to = scratch + Tile.SCRATCH_BYTES;
    for (int j = 0; j < taps; j += Tile.COLUMNS) {
      int n = Math.min(Tile.COLUMNS, taps - j);
      Panels.transposed(kernel + j * filterBytes, filterBytes, shape.filters(), n, to);
      to += Tile.panelWidth(n) * filterBytes;
    }
  }

  /** The columns of row {@code i} of gy, at its place in the ring. */
  private void columns(long gy, int i, long scratch) {
    long filterBytes = 4L * shape.filters();
    long panel = scratch + Tile.SCRATCH_BYTES;
    long to = scratch + rows + i % SIDE * rowBytes + margin * columnBytes;
    for (int j = 0; j < taps; j += Tile.COLUMNS) {
      int width = Tile.panelWidth(Math.min(Tile.COLUMNS, taps - j));
      Tile.run(
          gy,
          filterBytes,
          4,
          panel,
          4L * width,
          shape.filters(),
          to + 4L * j,
          columnBytes,
          shape.outputWidth(),
          width,
          Update.SET,
          scratch);
      panel += width * filterBytes;
    }
  }

  /** Address of the columns of row {@code i} of gy, or of the zeros that stand for it. */
  private long row(int i, long scratch) {
    boolean inside = i >= 0 && i < shape.outputHeight();
    return scratch + rows + (inside ? i % SIDE : SIDE) * rowBytes;
  }

  /** One row of an image from the columns of the rows of gy that its window's rows reach. */
  private void sum(long row0, long row1, long row2, long to) {
    long pixel = 4L * shape.channels();
    long first = (left + margin) * columnBytes;
    long r0 = row0 + first;
    long r1 = row1 + first + SIDE * pixel;
    long r2 = row2 + first + 2 * SIDE * pixel;
    long back = columnBytes - pixel; // the next tap is in the column before
    for (int j = 0; j < shape.width(); j++) {
      FloatVector a = piece(r0).add(piece(r0 - back)).add(piece(r0 - 2 * back));
      FloatVector b = piece(r1).add(piece(r1 - back)).add(piece(r1 - 2 * back));
      FloatVector c = piece(r2).add(piece(r2 - back)).add(piece(r2 - 2 * back));
      a.add(b).add(c).intoMemorySegment(ALL, to, ORDER);
      r0 += columnBytes;
      r1 += columnBytes;
      r2 += columnBytes;
      to += pixel;
    }
  }

  private static FloatVector piece(long address) {
    return FloatVector.fromMemorySegment(PIECE, ALL, address, ORDER);
  }
}
