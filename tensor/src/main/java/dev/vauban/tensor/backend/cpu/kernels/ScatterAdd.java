package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/**
 * The adjoint of {@link Gather} in f32: dst[o, indices[i], :] += src[o, i, :], in the order of i,
 * so that repeated indices give the same sum every time.
 */
public final class ScatterAdd {
  private final int outer;
  private final int rows;
  private final long rowBytes;
  private final int count;
  private final Update update;

  /**
   * Prepares a scatter.
   *
   * @param outer product of the sizes before the axis
   * @param rows size of the result's axis
   * @param inner product of the sizes after it
   * @param count number of indices
   * @param update {@code SET} starts from zeros, {@code ADD} from what the result holds
   * @throws IllegalArgumentException if a size is negative
   */
  public ScatterAdd(int outer, int rows, int inner, int count, Update update) {
    if (Math.min(Math.min(outer, rows), Math.min(inner, count)) < 0) {
      throw new IllegalArgumentException(
          "scatter-add: "
              + count
              + " indices into ["
              + outer
              + ", "
              + rows
              + ", "
              + inner
              + "]; sizes must not be negative");
    }
    this.outer = outer;
    this.rows = rows;
    this.rowBytes = 4L * inner;
    this.count = count;
    this.update = update;
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the scatter.
   *
   * @param src address of f32 src[outer, count, inner]
   * @param indices address of i32 [count]
   * @param dst address of the result f32 [outer, rows, inner]
   * @param scratch not used
   * @throws IndexOutOfBoundsException if an index is outside 0..rows-1; nothing is written then
   */
  public void run(long src, long indices, long dst, long scratch) {
    Gather.check("scatter-add", indices, count, rows);
    if (update == Update.SET) {
      Memory.zero(dst, (long) outer * rows * rowBytes);
    }
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < count; i++) {
        add(src, dst + Memory.getInt(indices + 4L * i) * rowBytes, rowBytes);
        src += rowBytes;
      }
      dst += rows * rowBytes;
    }
  }

  /** to[...] += from[...] for {@code bytes} bytes of floats. */
  static void add(long from, long to, long bytes) {
    long i = 0;
    for (; i <= bytes - BYTES; i += BYTES) {
      FloatVector.fromMemorySegment(F32, ALL, to + i, ORDER)
          .add(FloatVector.fromMemorySegment(F32, ALL, from + i, ORDER))
          .intoMemorySegment(ALL, to + i, ORDER);
    }
    for (; i < bytes; i += 4) {
      Memory.setFloat(to + i, Memory.getFloat(to + i) + Memory.getFloat(from + i));
    }
  }
}
