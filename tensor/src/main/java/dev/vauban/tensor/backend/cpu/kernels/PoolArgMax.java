package dev.vauban.tensor.backend.cpu.kernels;

/** The position of each window's largest element, as {@link MaxPool} finds it. */
public final class PoolArgMax {
  private final PoolWalk walk;

  /** Prepares pooling of a static shape. */
  public PoolArgMax(PoolShape shape) {
    this.walk = new PoolWalk(shape);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the search.
   *
   * @param x address of f32 x[N, H, W, C]
   * @param positions address of the result u8 [N, OH, OW, C]
   * @param scratch not used
   */
  public void run(long x, long positions, long scratch) {
    MaxPool.run(walk, x, 0, false, positions);
  }
}
