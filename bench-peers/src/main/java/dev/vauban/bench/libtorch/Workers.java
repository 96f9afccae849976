package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.PeerException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.global.torch;

/**
 * Threads that only libtorch runs on: it and OpenMP keep the number of threads of an operation per
 * calling thread, and Vauban sets it to one on the threads that it calls oneDNN from.
 */
final class Workers implements AutoCloseable {
  private final ExecutorService threads;

  /**
   * Starts them.
   *
   * @param count how many
   * @param each threads that each may use within one operation
   */
  Workers(int count, int each) {
    this.threads =
        Executors.newFixedThreadPool(
            count,
            work ->
                Thread.ofPlatform()
                    .daemon()
                    .name("libtorch")
                    .unstarted(() -> {
                      torch.set_num_threads(each);
                      work.run();
                    }));
  }

  <T> Future<T> submit(Callable<T> work) {
    return threads.submit(work);
  }

  /** What the work gave; its failure in libtorch's words. */
  static <T> T result(Future<T> work) {
    try {
      return work.get();
    } catch (ExecutionException e) {
      throw new PeerException("libtorch: " + e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeerException("interrupted", e);
    }
  }

  @Override
  public void close() {
    threads.close();
  }
}
