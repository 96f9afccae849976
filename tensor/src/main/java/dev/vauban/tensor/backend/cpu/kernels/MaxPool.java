package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.FLOATS;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.INTS;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;
import static dev.vauban.tensor.backend.cpu.kernels.WindowIndices.NARROW;
import static dev.vauban.tensor.backend.cpu.kernels.WindowIndices.SHIFTS;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The largest element of each window and its position (row * window width + column) in one pass.
 * The first of equal elements wins; a NaN wins over any number, the first NaN over later ones. A
 * window that lies wholly over padding gives position 0 and value 0.
 */
public final class MaxPool {
  private final PoolWalk walk;

  /** Prepares pooling of a static shape. */
  public MaxPool(PoolShape shape) {
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
   * @param positions address of the result u8 [N, OH, OW, C]
   * @param scratch not used
   */
  public void run(long x, long y, long positions, long scratch) {
    run(walk, x, y, true, positions);
  }

  /** {@code values} says whether y is wanted. */
  static void run(PoolWalk w, long x, long y, boolean values, long positions) {
    for (int n = 0; n < w.batch; n++) {
      for (int i = 0; i < w.rows; i++) {
        for (int j = 0; j < w.columns; j++) {
          pixel(w, x + w.offset(i, j), i, j, y, values, positions);
          y += w.pixelBytes;
          positions += w.channels;
        }
      }
      x += w.imageBytes;
    }
  }

  private static void pixel(
      PoolWalk w, long x, int i, int j, long y, boolean values, long positions) {
    int h0 = w.rowFrom[i];
    int h1 = w.rowTo[i];
    int w0 = w.columnFrom[j];
    int w1 = w.columnTo[j];
    if (h0 == h1 || w0 == w1) {
      Memory.zero(positions, w.channels);
      if (values) {
        Memory.zero(y, w.pixelBytes);
      }
      return;
    }
    long first = x + h0 * w.rowBytes + w0 * w.columnBytes;
    int start = h0 * w.windowWidth + w0;
    int c = 0;
    for (; c <= w.channels - LANES; c += LANES) {
      FloatVector best = FloatVector.fromMemorySegment(F32, ALL, first + 4L * c, ORDER);
      IntVector at = IntVector.broadcast(I32, start);
      for (int th = h0; th < h1; th++) {
        for (int tw = w0; tw < w1; tw++) {
          long tap = x + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          FloatVector v = FloatVector.fromMemorySegment(F32, ALL, tap, ORDER);
          FloatVector old = FLOATS.cast(best);
          // A v that is NaN is not "at most"; an old that is NaN itself stays.
          var stays = v.compare(VectorOperators.LE, old).or(old.compare(VectorOperators.NE, old));
          best = v.blend(old, stays);
          at = IntVector.broadcast(I32, th * w.windowWidth + tw).blend(at, stays.cast(I32));
        }
      }
      if (LANES == 4) {
        int four =
            INTS.cast(at).lanewise(VectorOperators.LSHL, SHIFTS).reduceLanes(VectorOperators.OR);
        Memory.setInt(positions + c, four);
      } else {
        INTS.cast(at).castShape(NARROW, 0).intoMemorySegment(ALL, positions + c, ORDER);
      }
      if (values) {
        FLOATS.cast(best).intoMemorySegment(ALL, y + 4L * c, ORDER);
      }
    }
    for (; c < w.channels; c++) {
      float best = Memory.getFloat(first + 4L * c);
      int at = start;
      for (int th = h0; th < h1; th++) {
        for (int tw = w0; tw < w1; tw++) {
          float v = Memory.getFloat(x + th * w.rowBytes + tw * w.columnBytes + 4L * c);
          if (!(v <= best) && best == best) {
            best = v;
            at = th * w.windowWidth + tw;
          }
        }
      }
      Memory.setByte(positions + c, (byte) at);
      if (values) {
        Memory.setFloat(y + 4L * c, best);
      }
    }
  }
}
