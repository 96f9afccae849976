package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.MetaStep;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ProgramCheck;
import dev.vauban.tensor.RandomPrograms;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.backend.reference.Reference;
import java.io.BufferedReader;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What holds for whole plans: the same bits always, nothing left over, nothing allocated. */
class CpuPlanTest {
  private static final int PROGRAMS = 60;
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  static List<double[]> run(Device device, Program p, long seed, boolean poisoned) {
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = ProgramCheck.inputs(scope, p.inputs(), seed);
      if (poisoned) {
        ((CpuPlan) plan).slab().fill((byte) 0xFF); // every float of it is NaN
      }
      return plan.run(scope, in).leaves().stream().map(Tensor::toDoubles).toList();
    }
  }

  private static void assertSame(String what, List<double[]> actual, List<double[]> expected) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).as("%s, result %d", what, i).isEqualTo(expected.get(i));
    }
  }

  @Test
  void theNumberOfWorkersDoesNotShow() {
    try (CpuDevice one = CpuDevice.open(1);
        CpuDevice two = CpuDevice.open(2);
        CpuDevice three = CpuDevice.open(3)) {
      Program meta = MetaStep.program();
      List<double[]> expected = run(one, meta, 5, false);
      assertThat(expected.getFirst()[0])
          .isCloseTo(referenceLoss(meta, 5), org.assertj.core.data.Offset.offset(1e-3));
      for (int k = 0; k < 5; k++) {
        assertSame("two workers", run(two, meta, 5, false), expected);
        assertSame("three workers", run(three, meta, 5, false), expected);
      }
      for (int seed = 0; seed < PROGRAMS; seed++) {
        Program p = RandomPrograms.of(seed);
        List<double[]> alone = run(one, p, seed, false);
        assertSame("seed " + seed + ", two workers", run(two, p, seed, false), alone);
        assertSame("seed " + seed + ", three workers", run(three, p, seed, false), alone);
      }
    }
  }

  private static double referenceLoss(Program p, long seed) {
    try (Scope scope = Scope.open()) {
      return Reference.evaluate(
              p.graph(),
              ProgramCheck.inputs(scope, p.inputs(), seed).leaves().stream()
                  .map(Tensor::toDoubles)
                  .toList())
          .getFirst()[0];
    }
  }

  @Test
  void theSlabsFormerContentDoesNotShow() {
    try (CpuDevice device = CpuDevice.open(2);
        CpuDevice java = CpuDevice.open(1, CpuDevice.Kernels.JAVA)) {
      for (CpuDevice d : List.of(device, java)) {
        assertSame(
            "meta-step", run(d, MetaStep.program(), 3, true), run(d, MetaStep.program(), 3, false));
      }
      for (int seed = 0; seed < PROGRAMS; seed++) {
        Program p = RandomPrograms.of(seed);
        List<double[]> clean = run(device, p, seed, false);
        assertSame("seed " + seed, run(device, p, seed, true), clean);
      }
    }
  }

  @Test
  void compilingAgainGivesTheSamePlan() {
    try (CpuDevice device = CpuDevice.open(2)) {
      for (int seed = 0; seed < PROGRAMS; seed++) {
        try (Plan a = device.compile(RandomPrograms.of(seed));
            Plan b = device.compile(RandomPrograms.of(seed))) {
          assertThat(b.toString()).isEqualTo(a.toString());
        }
      }
    }
  }

  /** Prints a digest of plans and results; the test below compares two processes. */
  public static void main(String[] args) {
    // Moves identity hash codes, which differ between threads and processes.
    int shift = Integer.parseInt(args[0]);
    Object[] objects = new Object[shift];
    for (int i = 0; i < shift; i++) {
      objects[i] = new Object();
      objects[i].hashCode();
    }
    try (CpuDevice device = CpuDevice.open(2)) {
      List<Program> programs = new ArrayList<>(List.of(MetaStep.program()));
      for (int seed = 0; seed < 30; seed++) {
        programs.add(RandomPrograms.of(seed));
      }
      for (Program p : programs) {
        try (Plan plan = device.compile(p)) {
          String results =
              run(device, p, 1, false).stream().map(Arrays::toString).collect(Collectors.joining());
          System.out.println("digest " + plan.toString().hashCode() + " " + results.hashCode());
        }
      }
    }
  }

  @Test
  void everyProcessMakesTheSamePlan() throws Exception {
    List<String> first = digests(0);
    assertThat(first).hasSize(31);
    assertThat(digests(1000)).isEqualTo(first);
  }

  private static List<String> digests(int shift) throws Exception {
    String java =
        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java";
    List<String> command = new ArrayList<>(List.of(java, "-Xmx512m", "-XX:+UseSerialGC"));
    // Another generator of identity hash codes, in case the usual one repeats itself.
    command.addAll(
        List.of("-XX:+UnlockExperimentalVMOptions", "-XX:hashCode=" + (shift == 0 ? 5 : 0)));
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
    command.addAll(List.of(CpuPlanTest.class.getName(), "" + shift));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines;
    try (BufferedReader out = process.inputReader()) {
      lines = out.lines().toList();
    }
    assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
    return lines.stream().filter(l -> l.startsWith("digest")).toList();
  }

  /** The class path and, where tests run as modules or from a launcher, where the classes lie. */
  private static String classPath() throws Exception {
    List<String> parts = new ArrayList<>();
    for (Class<?> c :
        List.of(
            CpuPlanTest.class,
            CpuPlan.class,
            dev.vauban.natives.onednn.OneDnn.class,
            org.objectweb.asm.ClassWriter.class,
            Test.class,
            org.assertj.core.api.Assertions.class)) {
      parts.add(new File(c.getProtectionDomain().getCodeSource().getLocation().toURI()).getPath());
    }
    parts.add(System.getProperty("java.class.path"));
    parts.add(System.getProperty("jdk.module.path", ""));
    return String.join(File.pathSeparator, parts);
  }

  /** A call that counts the heap bytes it allocates. */
  private static final class Counted implements Step.Call {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final Step.Call call;
    private final Step step;
    private long bytes;

    Counted(Step.Call call, Step step) {
      this.call = call;
      this.step = step;
    }

    @Override
    public void run(long[] addresses) {
      long before = threads.getCurrentThreadAllocatedBytes();
      call.run(addresses);
      bytes += threads.getCurrentThreadAllocatedBytes() - before;
    }

    @Override
    public void close() {
      call.close();
    }
  }

  /** Puts counters around all kernels of a frame and of the frames inside. */
  private static void count(Frame frame, List<Counted> all) {
    for (int i = 0; i < frame.calls.length; i++) {
      switch (frame.calls[i]) {
        case MapStep.Running map -> Arrays.stream(map.own).forEach(f -> count(f, all));
        case LoopStep.Running loop -> count(loop.own, all);
        default -> {
          Counted counted = new Counted(frame.calls[i], frame.code.steps().get(i));
          frame.calls[i] = counted;
          all.add(counted);
        }
      }
    }
  }

  /**
   * Kernels, maps, loops and workers allocate nothing. Emitted nests are left out: until HotSpot
   * has compiled a nest, and that takes thousands of runs, its vectors are objects;
   * RegionCompilerTest shows that they vanish.
   */
  @Test
  void aRunAllocatesNothing() {
    try (CpuDevice device = CpuDevice.open(3)) {
      assertAllocatesNothing(device, MetaStep.program());
    }
  }

  static void assertAllocatesNothing(CpuDevice device, Program p) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Plan.Bound bound =
          plan.bind(ProgramCheck.inputs(scope, p.inputs(), 1), scope.tensors(p.outputs()));
      List<Counted> calls = new ArrayList<>();
      count(((CpuPlan) plan).frame(), calls);
      for (int i = 0; i < 300; i++) {
        bound.run();
      }
      long[] ids = workers();
      assertThat(ids).hasSizeGreaterThanOrEqualTo(3);
      // The JVM books things of its own on a thread now and then; what a run allocates would show
      // in every batch.
      // Kernels in Java take their time to be compiled, too: more batches until all are at 0. The
      // limit is processor time of all threads, since wall time depends on what else runs.
      long machinery = Long.MAX_VALUE;
      long[] kernels = new long[calls.size()];
      Arrays.fill(kernels, Long.MAX_VALUE);
      long end = SYSTEM.getProcessCpuTime() + 100_000_000_000L;
      while ((machinery > 0 || above0(kernels) > 0) && SYSTEM.getProcessCpuTime() < end) {
        calls.forEach(c -> c.bytes = 0);
        long before = allocated(threads, ids);
        for (int i = 0; i < 10; i++) {
          bound.run();
        }
        long all = allocated(threads, ids) - before;
        machinery = Math.min(machinery, all - calls.stream().mapToLong(c -> c.bytes).sum());
        for (int i = 0; i < kernels.length; i++) {
          boolean nest = calls.get(i).step instanceof RegionStep;
          kernels[i] = nest ? 0 : Math.min(kernels[i], calls.get(i).bytes);
        }
      }
      assertThat(machinery).as("heap bytes of maps, loops and workers").isZero();
      for (int i = 0; i < kernels.length; i++) {
        assertThat(kernels[i]).as("heap bytes of " + calls.get(i).step.label()).isZero();
      }
    }
  }

  private static long above0(long[] values) {
    return Arrays.stream(values).filter(v -> v > 0).count();
  }

  private static long[] workers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t == Thread.currentThread() || t.getName().startsWith("vauban-worker"))
        .mapToLong(Thread::threadId)
        .toArray();
  }

  private static long allocated(ThreadMXBean threads, long[] ids) {
    long sum = 0;
    for (long id : ids) {
      sum += threads.getThreadAllocatedBytes(id);
    }
    return sum;
  }
}
