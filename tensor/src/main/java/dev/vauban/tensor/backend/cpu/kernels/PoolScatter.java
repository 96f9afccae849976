package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
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
 * The adjoint of {@link PoolGather}: each element of gy is added at its window's position, zeros
 * elsewhere. Windows are visited in order, so sums are the same every time; a position that is no
 * tap, or lies over padding, adds nothing.
 */
public final class PoolScatter {
  private final PoolShape shape;
  private final PoolWalk walk;

  /** Prepares the scatter for a static shape. */
  public PoolScatter(PoolShape shape) {
    this.shape = shape;
    this.walk = new PoolWalk(shape);
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the scatter.
   *
   * @param gy address of f32 gy[N, OH, OW, C]
   * @param positions address of u8 [N, OH, OW, C]
   * @param gx address of the result f32 [N, H, W, C]; overwritten
   * @param scratch not used
   */
  public void run(long gy, long positions, long gx, long scratch) {
    PoolWalk w = walk;
    if (!shape.tiles()) {
      Memory.zero(gx, 4 * shape.inputSize());
    }
    boolean disjoint = shape.disjoint();
    for (int n = 0; n < w.batch; n++) {
      for (int i = 0; i < w.rows; i++) {
        for (int j = 0; j < w.columns; j++) {
          if (disjoint) {
            store(w, gx + w.offset(i, j), i, j, positions, gy);
          } else {
            add(w, gx + w.offset(i, j), i, j, positions, gy);
          }
          gy += w.pixelBytes;
          positions += w.channels;
        }
      }
      gx += w.imageBytes;
    }
  }

  private static void store(PoolWalk w, long gx, int i, int j, long positions, long gy) {
    int c = 0;
    FloatVector zero = FloatVector.zero(F32);
    for (; c <= w.channels - LANES; c += LANES) {
      IntVector at =
          LANES == 4
              ? IntVector.broadcast(I32, Memory.getInt(positions + c))
                  .lanewise(VectorOperators.LSHR, SHIFTS)
                  .and(0xFF)
              : (IntVector)
                  ByteVector.fromMemorySegment(NARROW, ALL, positions + c, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I32, 0);
      FloatVector g = FloatVector.fromMemorySegment(F32, ALL, gy + 4L * c, ORDER);
      for (int th = w.rowFrom[i]; th < w.rowTo[i]; th++) {
        for (int tw = w.columnFrom[j]; tw < w.columnTo[j]; tw++) {
          long tap = gx + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          var here = at.compare(VectorOperators.EQ, th * w.windowWidth + tw).cast(F32);
          zero.blend(g, here).intoMemorySegment(ALL, tap, ORDER);
        }
      }
    }
    for (; c < w.channels; c++) {
      int at = Memory.getByte(positions + c) & 0xFF;
      float g = Memory.getFloat(gy + 4L * c);
      for (int th = w.rowFrom[i]; th < w.rowTo[i]; th++) {
        for (int tw = w.columnFrom[j]; tw < w.columnTo[j]; tw++) {
          long tap = gx + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          Memory.setFloat(tap, at == th * w.windowWidth + tw ? g : 0f);
        }
      }
    }
  }

  private static void add(PoolWalk w, long gx, int i, int j, long positions, long gy) {
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
      FloatVector g = FloatVector.fromMemorySegment(F32, ALL, gy + 4L * c, ORDER);
      for (int th = w.rowFrom[i]; th < w.rowTo[i]; th++) {
        for (int tw = w.columnFrom[j]; tw < w.columnTo[j]; tw++) {
          long tap = gx + th * w.rowBytes + tw * w.columnBytes + 4L * c;
          var here = at.compare(VectorOperators.EQ, th * w.windowWidth + tw).cast(F32);
          FloatVector old = FloatVector.fromMemorySegment(F32, ALL, tap, ORDER);
          old.blend(old.add(g), here).intoMemorySegment(ALL, tap, ORDER);
        }
      }
    }
    for (; c < w.channels; c++) {
      int at = Memory.getByte(positions + c) & 0xFF;
      int th = at / w.windowWidth;
      int tw = at % w.windowWidth;
      if (th >= w.rowFrom[i] && th < w.rowTo[i] && tw >= w.columnFrom[j] && tw < w.columnTo[j]) {
        long tap = gx + th * w.rowBytes + tw * w.columnBytes + 4L * c;
        Memory.setFloat(tap, Memory.getFloat(tap) + Memory.getFloat(gy + 4L * c));
      }
    }
  }
}
