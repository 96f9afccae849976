package dev.vauban.natives.cuda;

/**
 * How many blocks of how many threads a kernel runs in.
 *
 * @param gridX blocks along x, 1 to 2^31 - 1
 * @param gridY blocks along y, 1 to 65535
 * @param gridZ blocks along z, 1 to 65535
 * @param blockX threads of a block along x
 * @param blockY threads of a block along y
 * @param blockZ threads of a block along z; the product of the three is 1024 at most
 * @param sharedBytes dynamic shared memory per block
 */
public record LaunchShape(
    int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int sharedBytes) {
  private static final int MOST_BLOCKS_YZ = 65_535;
  private static final int MOST_THREADS = 1024;

  /** Checked against the limits that all cards share. */
  public LaunchShape {
    if (gridX < 1 || gridY < 1 || gridZ < 1 || gridY > MOST_BLOCKS_YZ || gridZ > MOST_BLOCKS_YZ) {
      throw new IllegalArgumentException(
          "a grid of %d x %d x %d blocks cannot be launched: each is 1 or more, y and z are 65535 at most"
              .formatted(gridX, gridY, gridZ));
    }
    if (blockX < 1 || blockY < 1 || blockZ < 1 || (long) blockX * blockY * blockZ > MOST_THREADS) {
      throw new IllegalArgumentException(
          "a block of %d x %d x %d threads cannot be launched: it has 1 to 1024 threads"
              .formatted(blockX, blockY, blockZ));
    }
    if (sharedBytes < 0) {
      throw new IllegalArgumentException("shared memory of " + sharedBytes + " bytes");
    }
  }

  /** A line of blocks that are lines of threads, without dynamic shared memory. */
  public static LaunchShape of(int blocks, int threads) {
    return new LaunchShape(blocks, 1, 1, threads, 1, 1, 0);
  }
}
