package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/** The adjoint of {@link PoolSum}: each element of gy is added to its whole window. */
public final class PoolSumGradient {
  private final PoolShape shape;
  private final PoolWalk walk;

  /** Prepares the gradient for a static shape. */
  public PoolSumGradient(PoolShape shape) {
    this.shape = shape;
    this.walk = new PoolWalk(shape);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the gradient.
   *
   * @param gy address of f32 gy[N, OH, OW, C]
   * @param gx address of the result f32 [N, H, W, C]; overwritten
   * @param scratch not used
   */
  public void run(long gy, long gx, long scratch) {
    PoolWalk w = walk;
    Memory.zero(gx, 4 * shape.inputSize());
    for (int n = 0; n < w.batch; n++) {
      for (int i = 0; i < w.rows; i++) {
        for (int j = 0; j < w.columns; j++) {
          pixel(w, gx + w.offset(i, j), i, j, gy);
          gy += w.pixelBytes;
        }
      }
      gx += w.imageBytes;
    }
  }

  private static void pixel(PoolWalk w, long gx, int i, int j, long gy) {
    for (int th = w.rowFrom[i]; th < w.rowTo[i]; th++) {
      for (int tw = w.columnFrom[j]; tw < w.columnTo[j]; tw++) {
        long tap = gx + th * w.rowBytes + tw * w.columnBytes;
        int c = 0;
        for (; c <= w.channels - LANES; c += LANES) {
          FloatVector.fromMemorySegment(F32, ALL, tap + 4L * c, ORDER)
              .add(FloatVector.fromMemorySegment(F32, ALL, gy + 4L * c, ORDER))
              .intoMemorySegment(ALL, tap + 4L * c, ORDER);
        }
        for (; c < w.channels; c++) {
          Memory.setFloat(
              tap + 4L * c, Memory.getFloat(tap + 4L * c) + Memory.getFloat(gy + 4L * c));
        }
      }
    }
  }
}
