package dev.vauban.natives.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.vauban.natives.onednn.generated.Dnnl;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What running costs, and that workers neither disturb each other nor start threads. */
class ThreadsTest {
  private static final ConvSpec SPEC = ConvSpec.of(7, 14, 14, 32, 64, 3, 3).pad(1, 1, 1, 1);

  @BeforeEach
  void needsOneDnn() {
    Assumptions.assumeTrue(
        OneDnn.status().available(), () -> "SKIPPED, no oneDNN: " + OneDnn.status().reason());
  }

  /** One worker's operands and primitives for all four operations. */
  private record Worker(
      Arena arena, long stream, List<Primitive> primitives, List<Operand[]> operands) {

    static Worker make(Arena arena) {
      OneDnn dnn = OneDnn.get();
      MatmulSpec product = MatmulSpec.rowMajor(3, 65, 130, 33, DataType.F32);
      Worker worker = new Worker(arena, dnn.newStream(), new ArrayList<>(), new ArrayList<>());
      worker.add(dnn.convForward(SPEC), SPEC.xSize(), SPEC.wSize(), SPEC.ySize());
      worker.add(dnn.convBackwardData(SPEC), SPEC.ySize(), SPEC.wSize(), SPEC.xSize());
      worker.add(dnn.convBackwardWeights(SPEC), SPEC.xSize(), SPEC.ySize(), SPEC.wSize());
      worker.add(dnn.matmul(product), 3 * 65 * 130, 3 * 130 * 33, 3 * 65 * 33);
      return worker;
    }

    private void add(Primitive primitive, long left, long right, long out) {
      primitives.add(primitive);
      operands.add(
          new Operand[] {
            Operand.of(arena, DataType.F32, Loops.random(left, left)),
            Operand.of(arena, DataType.F32, Loops.random(right + 1, right)),
            Operand.of(arena, DataType.F32, out),
            Operand.of(arena, DataType.F32, primitive.scratchBytes() / 4 + 1)
          });
    }

    void run() {
      for (int i = 0; i < primitives.size(); i++) {
        Operand[] o = operands.get(i);
        primitives
            .get(i)
            .run(stream, o[0].address(), o[1].address(), o[2].address(), o[3].address());
      }
    }

    List<byte[]> results() {
      return operands.stream().map(o -> o[2].bits()).toList();
    }

    void close() {
      primitives.forEach(Primitive::close);
      OneDnn.get().closeStream(stream);
    }
  }

  @Test
  void twoThreadsAtOnceGiveTheBitsOfOne() throws Exception {
    List<byte[]> alone;
    try (Arena arena = Arena.ofShared()) {
      Worker worker = Worker.make(arena);
      worker.run();
      alone = worker.results();
      worker.close();
    }
    CyclicBarrier start = new CyclicBarrier(2);
    Callable<Void> repeat =
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            Worker worker = Worker.make(arena);
            start.await();
            for (int i = 0; i < 50; i++) {
              worker.run();
              List<byte[]> results = worker.results();
              for (int k = 0; k < alone.size(); k++) {
                assertThat(results.get(k))
                    .as("run %d of %s", i, worker.primitives().get(k))
                    .isEqualTo(alone.get(k));
              }
            }
            worker.close();
          }
          return null;
        };
    ExecutorService pool = Executors.newFixedThreadPool(2);
    try {
      List<Future<Void>> both = List.of(pool.submit(repeat), pool.submit(repeat));
      for (Future<Void> one : both) {
        one.get();
      }
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void runningAllocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().threadId();
    try (Arena arena = Arena.ofConfined()) {
      Worker worker = Worker.make(arena);
      Primitive conv = worker.primitives().get(0);
      Operand[] o = worker.operands().get(0);
      // Two results in turn, so that the memory objects are pointed elsewhere every time.
      Operand other = Operand.of(arena, DataType.F32, o[2].size());
      long stream = worker.stream();
      long left = o[0].address();
      long right = o[1].address();
      long even = o[2].address();
      long odd = other.address();
      long scratch = o[3].address();
      for (int i = 0; i < 1000; i++) {
        conv.run(stream, left, right, (i & 1) == 0 ? even : odd, scratch);
      }
      // The JVM now and then books something of its own on this thread (a deoptimisation, the
      // counter's first reading); what a run allocated would show in every batch.
      long least = Long.MAX_VALUE;
      for (int batch = 0; batch < 5; batch++) {
        long before = threads.getThreadAllocatedBytes(thread);
        for (int i = 0; i < 1000; i++) {
          conv.run(stream, left, right, (i & 1) == 0 ? even : odd, scratch);
        }
        least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
      }
      assertThat(least).isZero();
      assertThat(other.bits()).isEqualTo(o[2].bits());
      worker.close();
    }
  }

  @Test
  void runningStartsNoThreads() throws Exception {
    Path tasks = Path.of("/proc/self/task");
    Assumptions.assumeTrue(Files.isDirectory(tasks), "SKIPPED, no /proc to count threads in");
    Assumptions.assumeTrue(
        Runtime.getRuntime().availableProcessors() > 1, "SKIPPED, one processor shows nothing");
    // A fresh OS thread, which OpenMP allows as many threads as there are processors.
    ExecutorService fresh =
        Executors.newSingleThreadExecutor(task -> new Thread(task, "fresh-worker"));
    Callable<Void> check =
        () -> {
          try (Arena arena = Arena.ofConfined()) {
            Worker worker = Worker.make(arena);
            assertThat(Dnnl.omp_get_max_threads()).isEqualTo(1);
            // Kernels that ask when they run must get one thread as well.
            Dnnl.omp_set_num_threads(4);
            worker.run();
            assertThat(Dnnl.omp_get_max_threads()).isEqualTo(1);
            assertThat(threadsNamedLikeThis(tasks)).isEqualTo(1);
            worker.close();
          }
          return null;
        };
    try {
      fresh.submit(check).get();
    } finally {
      fresh.shutdown();
    }
  }

  /** OpenMP's threads inherit the name of the thread that starts them. */
  private static long threadsNamedLikeThis(Path tasks) throws IOException {
    String own = Files.readString(Path.of("/proc/thread-self/comm")).strip();
    assertThat(own).isEqualTo("fresh-worker");
    try (var all = Files.list(tasks)) {
      return all.filter(task -> name(task).equals(own)).count();
    }
  }

  private static String name(Path task) {
    try {
      return Files.readString(task.resolve("comm")).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
