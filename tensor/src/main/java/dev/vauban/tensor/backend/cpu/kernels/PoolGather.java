package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.FLOATS;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;
import static dev.vauban.tensor.backend.cpu.kernels.WindowIndices.NARROW;
import static dev.vauban.tensor.backend.cpu.kernels.WindowIndices.SHIFTS;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * y[n, i, j, c] = v at the window position given for it. Each tap is compared with the position
 * instead of computing an address from it, so a position that is no tap, or lies over padding,
 * gives 0 and never touches other memory.
 */
public final class PoolGather {
  private final PoolWalk walk;

  /** Prepares the gather for a static shape. */
  public PoolGather(PoolShape shape) {
    this.walk = new PoolWalk(shape);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the gather.
   *
   * @param v address of f32 v[N, H, W, C]
   * @param positions address of u8 [N, OH, OW, C]
   * @param y address of the result f32 [N, OH, OW, C]
   * @param scratch not used
   */
  public void run(long v, long positions, long y, long scratch) {
    PoolWalk w = walk;
    for (int n = 0; n < w.batch; n++) {
      for (int i = 0; i < w.rows; i++) {
        for (int j = 0; j < w.columns; j++) {
          pixel(w, v + w.offset(i, j), i, j, positions, y);
          y += w.pixelBytes;
          positions += w.channels;
        }
      }
      v += w.imageBytes;
    }
  }

  private static void pixel(PoolWalk w, long v, int i, int j, long positions, long y) {
    int h0 = w.rowFrom[i];
    int h1 = w.rowTo[i];
    int w0 = w.columnFrom[j];
    int w1 = w.columnTo[j];
    int c = 0;
    for (; c <= w.channels - LANES; c += LANES) {
      IntVector at =
          LANES == 4
              ? IntVector.broadcast(I32, Memory.getInt(positions + c))
                  .lanewise(VectorOperators.LSHR, SHIFTS)
                  .and(0xFF)
              : (IntVector)
                  ByteVector.fromMemorySegment(NARROW, ALL, positions + c, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I32, 0);
      FloatVector found = FloatVector.zero(F32);
      for (int th = h0; th < h1; th++) {
        for (int tw = w0; tw < w1; tw++) {
          long tap = v + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          var elsewhere = at.compare(VectorOperators.NE, th * w.windowWidth + tw).cast(F32);
          found = FloatVector.fromMemorySegment(F32, ALL, tap, ORDER).blend(found, elsewhere);
        }
      }
      FLOATS.cast(found).intoMemorySegment(ALL, y + 4L * c, ORDER);
    }
    for (; c < w.channels; c++) {
      int at = Memory.getByte(positions + c) & 0xFF;
      int th = at / w.windowWidth;
      int tw = at % w.windowWidth;
      boolean inside = th >= h0 && th < h1 && tw >= w0 && tw < w1;
      long tap = v + th * w.rowBytes + tw * w.columnBytes + 4L * c;
      Memory.setFloat(y + 4L * c, inside ? Memory.getFloat(tap) : 0f);
    }
  }
}
