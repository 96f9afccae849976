package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.FLOATS;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/** The sum of each window, padding counting 0; taps are added in row-major order. */
public final class PoolSum {
  private final PoolWalk walk;

  /** Prepares pooling of a static shape. */
  public PoolSum(PoolShape shape) {
    this.walk = new PoolWalk(shape);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the pooling.
   *
   * @param x address of f32 x[N, H, W, C]
   * @param y address of the result f32 [N, OH, OW, C]
   * @param scratch not used
   */
  public void run(long x, long y, long scratch) {
    PoolWalk w = walk;
    for (int n = 0; n < w.batch; n++) {
      for (int i = 0; i < w.rows; i++) {
        for (int j = 0; j < w.columns; j++) {
          pixel(w, x + w.offset(i, j), i, j, y);
          y += w.pixelBytes;
        }
      }
      x += w.imageBytes;
    }
  }

  private static void pixel(PoolWalk w, long x, int i, int j, long y) {
    int h0 = w.rowFrom[i];
    int h1 = w.rowTo[i];
    int w0 = w.columnFrom[j];
    int w1 = w.columnTo[j];
    int c = 0;
    for (; c <= w.channels - LANES; c += LANES) {
      FloatVector sum = FloatVector.zero(F32);
      for (int th = h0; th < h1; th++) {
        for (int tw = w0; tw < w1; tw++) {
          long tap = x + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          sum = FloatVector.fromMemorySegment(F32, ALL, tap, ORDER).add(sum);
        }
      }
      FLOATS.cast(sum).intoMemorySegment(ALL, y + 4L * c, ORDER);
    }
    for (; c < w.channels; c++) {
      float sum = 0;
      for (int th = h0; th < h1; th++) {
        for (int tw = w0; tw < w1; tw++) {
          sum += Memory.getFloat(x + th * w.rowBytes + tw * w.columnBytes + 4L * c);
        }
      }
      Memory.setFloat(y + 4L * c, sum);
    }
  }
}
