package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

/**
 * The product of a patch matrix [pixels, K] with a packed matrix [K, N], pixels taken block by
 * block. Scratch holds the packed matrix and one block of patches.
 */
final class PatchProduct {
  private static final long BLOCK = 128 << 10; // bytes of patches at a time: part of the L2 cache
  private static final int KC = 256; // K per pass, so that a panel of the matrix stays in L1

  private final Patches patches;
  private final int pixels;
  private final int depth;
  private final int columns;
  private final int rows; // pixels per block
  private final boolean wholeVectors;
  private final int passes;
  private final long matrixBytes;

  PatchProduct(Patches patches, int pixels, int columns) {
    this(patches, pixels, columns, false);
  }

  /** {@code wholeVectors}: result rows have room for, and get, zeros up to a whole vector. */
  PatchProduct(Patches patches, int pixels, int columns, boolean wholeVectors) {
    this.wholeVectors = wholeVectors;
    this.patches = patches;
    this.pixels = pixels;
    this.depth = patches.columns();
    this.columns = columns;
    this.rows = patches.blockRows(BLOCK, pixels);
    this.passes = Math.max(1, (depth + KC - 1) / KC);
    this.matrixBytes =
        align(4L * depth * ((columns + Tile.COLUMNS - 1) / Tile.COLUMNS * Tile.COLUMNS));
  }

  long scratchBytes() {
    return Tile.SCRATCH_BYTES + matrixBytes + rows * patches.rowBytes();
  }

  /** Pixels per block, the most that {@link #block} takes. */
  int rows() {
    return rows;
  }

  /** Packs the row-major matrix [K, N] whose rows lie {@code stride} bytes apart. */
  void packPlain(long matrix, long stride, long scratch) {
    for (int j = 0; j < columns; j += Tile.COLUMNS) {
      Panels.plain(
          matrix + 4L * j, stride, depth, Math.min(Tile.COLUMNS, columns - j), panel(j, scratch));
    }
  }

  /**
   * Packs {@code taps} rows of the matrix, from row {@code first} on, from their transpose [N,
   * taps] whose rows lie {@code stride} bytes apart.
   */
  void packTransposed(long matrix, long stride, int first, int count, long scratch) {
    for (int j = 0; j < columns; j += Tile.COLUMNS) {
      int nr = Math.min(Tile.COLUMNS, columns - j);
      long to = panel(j, scratch) + 4L * first * Tile.panelWidth(nr);
      Panels.transposed(matrix + j * stride, stride, count, nr, to);
    }
  }

  private long panel(int j, long scratch) {
    return scratch + Tile.SCRATCH_BYTES + 4L * j * depth;
  }

  /** All pixels: result row p goes to {@code to + p * stride}. */
  void run(long src, long to, long stride, long scratch) {
    for (int p = 0; p < pixels; p += rows) {
      int count = Math.min(rows, pixels - p);
      block(src, p, count, to + p * stride, stride, scratch);
    }
  }

  /** Pixels {@code first} to {@code first + count - 1}: their results from {@code to} on. */
  void block(long src, int first, int count, long to, long stride, long scratch) {
    long a = scratch + Tile.SCRATCH_BYTES + matrixBytes;
    long rs = patches.rowBytes();
    if (patches.identity()) {
      rs = patches.pixelBytes();
      a = src + first * rs;
    } else {
      patches.pack(src, first, count, a);
    }
    for (int pass = 0; pass < passes; pass++) {
      int k0 = (int) ((long) depth * pass / passes);
      int kc = (int) ((long) depth * (pass + 1) / passes) - k0;
      Update how = pass == 0 ? Update.SET : Update.ADD;
      for (int j = 0; j < columns; j += Tile.COLUMNS) {
        int nr = Math.min(Tile.COLUMNS, columns - j);
        long bs = 4L * Tile.panelWidth(nr);
        long b = panel(j, scratch) + k0 * bs;
        int stored = wholeVectors ? Tile.panelWidth(nr) : nr;
        Tile.run(a + 4L * k0, rs, 4, b, bs, kc, to + 4L * j, stride, count, stored, how, scratch);
      }
    }
  }
}
