package dev.vauban.bench.steps;

import dev.vauban.cli.failure.CommandException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * How fast this machine copies memory that is in no cache: what bounds every pass over large data.
 */
public final class CopyPeak {
  private static final long BYTES = 256L << 20; // several times the largest caches
  private static final int ROUNDS = 7;

  private CopyPeak() {}

  /** The best of several copies, each thread copying its part: 10^9 bytes read plus written. */
  public static double gigabytesPerSecond(int threads) {
    try (Arena arena = Arena.ofShared();
        ExecutorService workers = Executors.newFixedThreadPool(threads)) {
      MemorySegment from = arena.allocate(BYTES, 64).fill((byte) 1);
      MemorySegment to = arena.allocate(BYTES, 64).fill((byte) 2);
      double best = 0;
      for (int i = 0; i < ROUNDS; i++) {
        CountDownLatch done = new CountDownLatch(threads);
        long start = System.nanoTime();
        for (int t = 0; t < threads; t++) {
          long at = BYTES / threads * t;
          long bytes = BYTES / threads;
          workers.execute(() -> {
            MemorySegment.copy(from, at, to, at, bytes);
            done.countDown();
          });
        }
        done.await();
        best = Math.max(best, 2.0 * BYTES / (System.nanoTime() - start));
      }
      return best;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandException.interrupted("interrupted");
    }
  }
}
