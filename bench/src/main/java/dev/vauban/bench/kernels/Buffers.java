package dev.vauban.bench.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Aligned native memory for a benchmark. */
final class Buffers implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();

  /** The address of this many f32 numbers between -0.75 and 0.75. */
  long floats(long count) {
    MemorySegment m = arena.allocate(Math.max(1, count) * 4, ALIGNMENT);
    for (long i = 0; i < count; i++) {
      m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 7 - 3) * 0.25f);
    }
    return m.address();
  }

  /** The address of this many bytes. */
  long bytes(long count) {
    return arena.allocate(Math.max(ALIGNMENT, count), ALIGNMENT).address();
  }

  @Override
  public void close() {
    arena.close();
  }
}
