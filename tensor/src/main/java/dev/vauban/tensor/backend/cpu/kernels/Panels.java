package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/**
 * Packs columns of a matrix B[K, N] into a panel [K, width] that {@link Tile} reads with whole
 * vectors; width is {@link Tile#panelWidth}, the columns past N are zero.
 */
final class Panels {
  private Panels() {}

  /** Packs {@code columns} columns of row-major B; {@code stride} bytes lie between its rows. */
  static void plain(long b, long stride, int depth, int columns, long to) {
    int width = Tile.panelWidth(columns);
    if (columns == width) {
      for (int k = 0; k < depth; k++) {
        for (int j = 0; j < width; j += LANES) {
          FloatVector.fromMemorySegment(F32, ALL, b + 4L * j, ORDER)
              .intoMemorySegment(ALL, to + 4L * j, ORDER);
        }
        b += stride;
        to += 4L * width;
      }
      return;
    }
    var mask = F32.indexInRange(width - LANES, columns);
    for (int k = 0; k < depth; k++) {
      if (width > LANES) {
        FloatVector.fromMemorySegment(F32, ALL, b, ORDER).intoMemorySegment(ALL, to, ORDER);
      }
      long last = 4L * (width - LANES);
      FloatVector.fromMemorySegment(F32, ALL, b + last, ORDER, mask)
          .intoMemorySegment(ALL, to + last, ORDER);
      b += stride;
      to += 4L * width;
    }
  }

  /** Packs from B stored transposed, [N, K]; {@code stride} bytes lie between its N rows. */
  static void transposed(long b, long stride, int depth, int columns, long to) {
    int width = Tile.panelWidth(columns);
    long step = 4L * width;
    if (columns < width) {
      Memory.zero(to, step * depth);
    }
    Transposer.run(4, b, stride, to, step, columns, depth);
  }
}
