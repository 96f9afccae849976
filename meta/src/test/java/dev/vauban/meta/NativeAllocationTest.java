package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.OperatingSystemMXBean;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.nn.Optimizers;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Precision;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A meta-step asks the system for no memory once it is compiled. A preloaded library counts every
 * malloc and its kin and every mmap, thread by thread, so that even what is freed at once shows:
 * memory that oneDNN takes for its work, a primitive compiled while running, an Arena in a step or
 * in the episodes' sampler, a stream per call.
 *
 * <p>One thing it allows, and counts: the small C++ objects that oneDNN itself makes in every call
 * of a primitive (about nine, for the tables of its arguments) and deletes before it returns. There
 * must be none without oneDNN, and none left over with it.
 *
 * <p>Needs a C compiler and glibc, and is skipped without.
 */
class NativeAllocationTest {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final String PROPERTY = "vauban.test.counter";

  /** Of all threads, the compiler's included: wall time would depend on what else runs. */
  private static final long LIMIT_CPU_NANOS = 60_000_000_000L;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"bundled, f32", "off, f32", "bundled, bf16"})
  void aMetaStepTakesNoMemoryFromTheSystem(String oneDnn, String precision) throws Exception {
    Path counter = build();
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-Xmx512m",
            "-D" + PROPERTY + "=" + counter,
            "-D" + OneDnn.PROPERTY + "=" + oneDnn,
            "-cp",
            System.getProperty("java.class.path"),
            NativeAllocationTest.class.getName(),
            precision);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LD_PRELOAD", counter.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).contains("10 steps without an allocation by 2 threads");
  }

  private Path build() throws IOException, InterruptedException {
    Path root = Path.of(System.getProperty("vauban.root", ".."));
    Path source = root.resolve("meta/src/test/native/count_allocations.c");
    Path library = folder.resolve("libcount.so");
    Process compiler;
    try {
      compiler =
          new ProcessBuilder(
                  "cc", "-shared", "-fPIC", "-O2", "-o", library.toString(), source.toString())
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      assumeTrue(false, "SKIPPED: there is no C compiler: " + e.getMessage());
      throw e;
    }
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assumeTrue(compiler.waitFor() == 0, () -> "SKIPPED: the counter does not compile: " + output);
    return library;
  }

  /** The counter of this process. */
  private static final class Counter {
    private final MethodHandle allocations;
    private final MethodHandle objects;
    private final MethodHandle kept;
    private final int thread;

    Counter() throws Throwable {
      SymbolLookup library =
          SymbolLookup.libraryLookup(Path.of(System.getProperty(PROPERTY)), Arena.global());
      Linker linker = Linker.nativeLinker();
      FunctionDescriptor ofThread = FunctionDescriptor.of(ValueLayout.JAVA_INT);
      thread =
          (int)
              linker
                  .downcallHandle(library.find("vauban_thread").orElseThrow(), ofThread)
                  .invokeExact();
      FunctionDescriptor count = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
      allocations = linker.downcallHandle(library.find("vauban_allocations").orElseThrow(), count);
      objects = linker.downcallHandle(library.find("vauban_objects").orElseThrow(), count);
      kept = linker.downcallHandle(library.find("vauban_objects_kept").orElseThrow(), count);
    }

    long of(int tid) throws Throwable {
      return (long) allocations.invokeExact(tid);
    }

    /** Requests for memory, C++ objects, and those of them that are left, of some threads. */
    long[] of(int[] tids) throws Throwable {
      long[] sums = new long[3];
      for (int tid : tids) {
        sums[0] += of(tid);
        sums[1] += (long) objects.invokeExact(tid);
        sums[2] += (long) kept.invokeExact(tid);
      }
      return sums;
    }

    /** This thread and the device's workers, by the names that the JVM tells the system. */
    int[] workers() throws IOException {
      List<Integer> tids = new ArrayList<>(List.of(thread));
      try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
        for (Path task : tasks.toList()) {
          if (Files.readString(task.resolve("comm")).startsWith("vauban-worker")) {
            tids.add(Integer.parseInt(task.getFileName().toString()));
          }
        }
      }
      return tids.stream().mapToInt(t -> t).toArray();
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      System.out.println(what);
      System.exit(1);
    }
  }

  /** The counter must see what it is to see, or its zeros would mean nothing. */
  private static void prove(Counter counter) throws Throwable {
    long before = counter.of(counter.thread);
    try (Arena arena = Arena.ofConfined()) {
      check(arena.allocate(100).byteSize() == 100, "no segment");
    }
    check(counter.of(counter.thread) > before, "the counter does not see an Arena's memory");
    if (OneDnn.find().isPresent()) {
      long made = counter.of(counter.thread);
      check(OneDnn.get().newStream() != 0, "no stream");
      check(counter.of(counter.thread) > made, "the counter does not see oneDNN's memory");
    }
  }

  /** Steps until ten of them in a row allocate nothing; exit 1 if that never comes. */
  public static void main(String[] args) throws Throwable {
    Counter counter = new Counter();
    for (int i = 0; i < 3; i++) {
      prove(counter);
    }
    Precision precision = Precision.named(args[0]);
    // With 16 filters there is something to compute in bf16.
    try (Tiny tiny = new Tiny(precision == Precision.BF16 ? 16 : 4);
        Device device = Device.open("cpu:2").in(precision);
        MetaTrainer trainer =
            MetaTrainer.compile(
                device,
                tiny.method("rmaml-out"),
                tiny.model,
                tiny.train,
                4,
                tiny.weights,
                Optimizers.adam(0.01),
                Key.of(3))) {
      trainer.step();
      int[] threads = counter.workers();
      for (int tid : threads) {
        check(counter.of(tid) > 0, "the counter does not see thread " + tid);
      }
      long end = SYSTEM.getProcessCpuTime() + LIMIT_CPU_NANOS;
      boolean oneDnn = OneDnn.find().isPresent();
      long[] added = {Long.MAX_VALUE, 0, 0};
      while (added[0] > 0 && SYSTEM.getProcessCpuTime() < end) {
        long[] before = counter.of(threads);
        for (int i = 0; i < 10; i++) {
          trainer.step();
        }
        long[] after = counter.of(threads);
        for (int i = 0; i < added.length; i++) {
          added[i] = after[i] - before[i];
        }
      }
      check(added[0] == 0, "10 steps still allocate " + added[0] + " times");
      check(oneDnn == added[1] > 0, "10 steps make " + added[1] + " C++ objects");
      check(added[2] == 0, "10 steps leave " + added[2] + " C++ objects");
      System.out.println(
          "10 steps without an allocation by "
              + threads.length
              + " threads, after "
              + trainer.number()
              + " steps");
    }
  }
}
