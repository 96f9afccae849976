package dev.vauban.bench.steps;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.natives.onednn.DataType;
import dev.vauban.natives.onednn.MatmulSpec;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.natives.onednn.Primitive;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * The machine's peak: oneDNN's f32 product of 2048x2048 matrices, its rows divided among threads,
 * one primitive each. The calling thread works too.
 */
public final class GemmPeak implements AutoCloseable {
  private static final int SIZE = 2048;
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();
  private final OneDnn dnn;
  private final List<Part> parts = new ArrayList<>();

  /** One thread's rows. */
  private record Part(Primitive primitive, long stream, long a, long b, long c, long scratch) {
    void run() {
      primitive.run(stream, a, b, c, scratch);
    }
  }

  /**
   * Prepares the product for this many threads.
   *
   * @throws CommandException exit 3, where oneDNN is not available
   */
  public GemmPeak(int threads) {
    OneDnn.Status status = OneDnn.status();
    if (!status.available()) {
      throw CommandException.environment(
          "the peak is measured with oneDNN, which is not available: "
              + status.reason()
              + "; "
              + status.remedy(),
          null);
    }
    this.dnn = OneDnn.get();
    MemorySegment a = matrix();
    MemorySegment b = matrix();
    MemorySegment c = matrix();
    int from = 0;
    for (int t = 0; t < threads; t++) {
      int rows = SIZE / threads + (t < SIZE % threads ? 1 : 0);
      Primitive p = dnn.matmul(MatmulSpec.rowMajor(1, rows, SIZE, SIZE, DataType.F32));
      long offset = 4L * from * SIZE;
      long scratch = arena.allocate(Math.max(ALIGNMENT, p.scratchBytes()), ALIGNMENT).address();
      parts.add(
          new Part(
              p,
              dnn.newStream(),
              a.address() + offset,
              b.address(),
              c.address() + offset,
              scratch));
      from += rows;
    }
  }

  private MemorySegment matrix() {
    MemorySegment m = arena.allocate(4L * SIZE * SIZE, ALIGNMENT);
    for (long i = 0; i < (long) SIZE * SIZE; i++) {
      m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 7 - 3) * 0.25f);
    }
    return m;
  }

  /** Seconds of one product. */
  public double seconds() {
    CountDownLatch done = new CountDownLatch(parts.size() - 1);
    long start = System.nanoTime();
    for (Part part : parts.subList(1, parts.size())) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            part.run();
            done.countDown();
          });
    }
    parts.getFirst().run();
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandException.interrupted("interrupted");
    }
    return (System.nanoTime() - start) / 1e9;
  }

  /** Floating-point operations of one product. */
  public long flops() {
    return 2L * SIZE * SIZE * SIZE;
  }

  @Override
  public void close() {
    for (Part p : parts) {
      p.primitive.close();
      dnn.closeStream(p.stream);
    }
    arena.close();
  }
}
