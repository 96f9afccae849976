package dev.vauban.tensor.backend.cuda;

/**
 * How a product is divided: a block makes a tile of {@code rows} x {@code columns} results, {@code
 * terms} of their terms at a time; several blocks share the terms of one tile where there are few
 * tiles.
 *
 * @param rows of a tile
 * @param columns of a tile
 * @param terms at a time
 * @param threadRows rows of one thread
 * @param threadColumns columns of one thread
 * @param parts blocks for each tile
 */
record Tiling(int rows, int columns, int terms, int threadRows, int threadColumns, int parts) {
  private static final int BUSY = 264; // tiles that keep a large card busy
  private static final int MOST_PARTS = 32;
  private static final int TERMS_OF_PART = 256;

  /** For threads that compute one result after the other. */
  static Tiling ofThreads(Product p) {
    Tiling t =
        p.n() <= 4
            ? new Tiling(256, 4, 16, 4, 1, 1) // the gradient of images of one to four channels
            : p.n() <= 16
                ? new Tiling(64, 16, 16, 4, 1, 1)
                : p.m() <= 32 || p.n() <= 32 || tiles(p, 64, 64) < BUSY / 4
                    ? new Tiling(32, 32, 16, 2, 2, 1)
                    : tiles(p, 128, 64) < BUSY
                        ? new Tiling(64, 64, 16, 4, 4, 1)
                        : new Tiling(128, 64, 16, 8, 4, 1);
    return t.shared(p);
  }

  /**
   * For tensor cores: four warps of 32 x 32 results.
   *
   * @param terms one step's: 32 of bf16, 16 of tf32
   */
  static Tiling ofTensorCores(Product p, int terms) {
    return new Tiling(64, 64, terms, 0, 0, 1).shared(p);
  }

  private static long tiles(Product p, int rows, int columns) {
    return p.size() * Math.ceilDiv(p.m(), rows) * Math.ceilDiv(p.n(), columns);
  }

  private Tiling shared(Product p) {
    long parts = Math.min(BUSY / tiles(p, rows, columns), p.k() / TERMS_OF_PART);
    return new Tiling(
        rows,
        columns,
        terms,
        threadRows,
        threadColumns,
        (int) Math.max(1, Math.min(parts, MOST_PARTS)));
  }

  /** Blocks. */
  long blocks(Product p) {
    return tiles(p, rows, columns) * parts;
  }

  /** Terms of one part, whole steps. */
  long termsOfPart(Product p) {
    return Math.ceilDiv(Math.ceilDiv(p.k(), parts), terms) * terms;
  }
}
