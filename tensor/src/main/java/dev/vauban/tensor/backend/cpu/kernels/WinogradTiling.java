package dev.vauban.tensor.backend.cpu.kernels;

/**
 * How the results of a convolution are cut into tiles, and in which order the tiles of a block lie.
 *
 * <p>A side of n pixels is cut into ceil(n / 4) tiles: first tiles of four pixels, then as many of
 * three as the rest asks for (14 = 4 + 4 + 3 + 3, 7 = 4 + 3). A tile of four needs six transformed
 * positions, one of three only five of these: position 0 is not needed. So 14x14 results cost 22 *
 * 22 multiplications where tiles of four alone would cost 24 * 24.
 *
 * <p>All tiles beside each other are a line, and a block is a number of whole lines. In a block the
 * tiles lie by kind, height before width: first 3x4, then 4x4, then 4x3, then 3x3. At every
 * position the tiles that need it are then one range: all; those with four rows (the second and
 * third kind) for position row 0; those with four columns (the first two) for position column 0;
 * the second kind for both.
 */
final class WinogradTiling {
  static final int FOUR = 4;
  static final int THREE = 3;

  private final int lines;
  private final int lineFours; // per image, lines whose tiles have four rows
  private final int imageLines;
  private final int fours; // per line, tiles with four columns
  private final int tiles;
  private final int block;

  /** Cuts the results of {@code s}; a block has about {@code blockTiles} tiles. */
  WinogradTiling(ConvShape s, int blockTiles) {
    this.imageLines = count(s.outputHeight());
    this.lineFours = fours(s.outputHeight());
    this.tiles = count(s.outputWidth());
    this.fours = fours(s.outputWidth());
    this.lines = Math.multiplyExact(s.batch(), imageLines);
    this.block = Math.min(lines, Math.max(1, blockTiles / tiles));
  }

  /** Tiles along a side of {@code outputs} pixels. */
  static int count(int outputs) {
    return (outputs + FOUR - 1) / FOUR;
  }

  private static int fours(int outputs) {
    int tiles = count(outputs);
    return Math.max(0, outputs - THREE * tiles); // each makes up for one pixel that threes lack
  }

  /** Lines of all images. */
  int lines() {
    return lines;
  }

  /** Lines of a block; the last one may have fewer. */
  int blockLines() {
    return block;
  }

  /** Tiles of a block. */
  int blockTiles() {
    return block * tiles;
  }

  /** Tiles of a line. */
  int tiles() {
    return tiles;
  }

  /** The image that a line belongs to. */
  int image(int line) {
    return line / imageLines;
  }

  /** Rows of the tiles of a line: three or four. */
  int rows(int line) {
    return line % imageLines < lineFours ? FOUR : THREE;
  }

  /** The first row of a line in its image. */
  int row(int line) {
    int i = line % imageLines;
    return THREE * i + Math.min(i, lineFours);
  }

  /** The first column of tile {@code tile} of every line. */
  int column(int tile) {
    return THREE * tile + Math.min(tile, fours);
  }

  /** How many of {@code n} tiles from {@code tile} on have four columns; they come first. */
  int foursOf(int tile, int n) {
    return Math.max(0, Math.min(n, fours - tile));
  }

  /** Of the lines before {@code line}, those whose tiles have four rows. */
  private int foursBefore(int line) {
    return line / imageLines * lineFours + Math.min(line % imageLines, lineFours);
  }

  /**
   * Where tile {@code tile} of {@code line} lies in the block of lines {@code from} to {@code to}.
   */
  int slot(int line, int tile, int from, int to) {
    int tall = foursBefore(to) - foursBefore(from);
    int flat = to - from - tall;
    int tallBefore = foursBefore(line) - foursBefore(from);
    int flatBefore = line - from - tallBefore;
    boolean isTall = rows(line) == FOUR;
    if (tile < fours) {
      return (isTall ? flat + tallBefore : flatBefore) * fours + tile;
    }
    int threes = tiles - fours;
    int before = isTall ? tallBefore : tall + flatBefore;
    return (tall + flat) * fours + before * threes + tile - fours;
  }

  /** Where the tiles of a block that need {@code position} begin. */
  int first(int position, int from, int to) {
    int flat = to - from - (foursBefore(to) - foursBefore(from));
    return position < WinogradLines.INPUTS ? flat * fours : 0;
  }

  /** Where they end. */
  int end(int position, int from, int to) {
    if (position % WinogradLines.INPUTS == 0) {
      return (to - from) * fours;
    }
    int tall = foursBefore(to) - foursBefore(from);
    int flat = to - from - tall;
    int threes = tiles - fours;
    return (to - from) * tiles - (position < WinogradLines.INPUTS ? flat * threes : 0);
  }
}
