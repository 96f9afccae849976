package dev.vauban.tensor.backend.cuda;

/**
 * How a product is divided: a block makes a tile of {@code rows} x {@code columns} results, {@code
 * terms} of their terms at a time; several blocks share the terms of one tile where there are few
 * tiles.
 *
 * @param rows of a tile
 * @param columns of a tile
 * @param terms at a time
 * @param threadRows rows of one thread, or of one warp of tensor cores
 * @param threadColumns columns of one thread, or of one warp
 * @param parts blocks for each tile
 */
record Tiling(int rows, int columns, int terms, int threadRows, int threadColumns, int parts) {
  private static final int BUSY = 264; // tiles that keep a large card busy
  private static final int MOST_PARTS = 32;
  private static final int TERMS_OF_PART = 256;
  private static final int TERMS = 16; // of threads

  /** Rows or columns that fit half a warp's square on tensor cores. */
  private static final int FEW = 16;

  /** For threads that compute one result after the other. */
  static Tiling ofThreads(Product p) {
    int terms = upTo(p.k(), TERMS, 4);
    Tiling t =
        p.n() <= 4
            ? new Tiling(256, 4, terms, 4, 1, 1) // the gradient of images of one to four channels
            : p.n() <= FEW
                ? new Tiling(64, 16, terms, 4, 1, 1)
                : p.m() <= FEW
                    ? new Tiling(16, 64, terms, 1, 4, 1) // the first kernel's gradient
                    : p.m() <= 32 || p.n() <= 32 || tiles(p, 64, 64) < BUSY / 4
                        ? new Tiling(32, 32, terms, 2, 2, 1)
                        : tiles(p, 128, 64) < BUSY
                            ? new Tiling(64, 64, terms, 4, 4, 1)
                            : new Tiling(128, 64, terms, 8, 4, 1);
    return t.shared(p);
  }

  /** So many terms, whole steps of {@code step}, but no more than there are. */
  private static int upTo(long k, int most, int step) {
    return (int) Math.min(most, Math.ceilDiv(Math.max(k, 1), step) * step);
  }

  /**
   * For tensor cores: four warps, of 32 x 32 results or, where there are few rows or columns, of 16
   * x 16 side by side.
   *
   * @param most terms of one step: 32 of bf16, 16 of tf32
   * @param instruction terms of one instruction: half of these
   */
  static Tiling ofTensorCores(Product p, int most, int instruction) {
    int terms = upTo(p.k(), most, instruction);
    Tiling t =
        p.n() <= FEW
            ? new Tiling(64, 16, terms, 16, 16, 1)
            : p.m() <= FEW
                ? new Tiling(16, 64, terms, 16, 16, 1)
                : new Tiling(64, 64, terms, 32, 32, 1);
    return t.shared(p);
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
