package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I16;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Converts BF16 numbers to F32, which is exact: they are the upper halves of F32 numbers. */
public final class Widen {
  private final long count;

  /** Prepares for {@code count} numbers. */
  public Widen(long count) {
    this.count = count;
  }

  /** Bytes of the result. */
  public long bytes() {
    return 4 * count;
  }

  /**
   * Runs the conversion.
   *
   * @param from address of the BF16 numbers
   * @param to address of the result; it must not overlap them
   */
  public void run(long from, long to) {
    run(from, to, count);
  }

  static void run(long from, long to, long count) {
    long i = 0;
    for (; i <= count - LANES; i += LANES) {
      load(from + 2 * i).intoMemorySegment(ALL, to + 4 * i, ORDER);
    }
    for (; i < count; i++) {
      Memory.setInt(to + 4 * i, Memory.getShort(from + 2 * i) << 16);
    }
  }

  /** One vector of BF16 numbers as F32. */
  static FloatVector load(long address) {
    IntVector bits =
        (IntVector)
            ShortVector.fromMemorySegment(I16, ALL, address, ORDER)
                .convertShape(VectorOperators.S2I, I32, 0);
    return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }
}
