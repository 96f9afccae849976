package dev.vauban.tensor.backend.cpu;

import static dev.vauban.tensor.DType.BF16;
import static dev.vauban.tensor.DType.F32;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Instruction;
import dev.vauban.tensor.backend.fusion.Region.Kind;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Operand;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Kernels allocate nothing once they are compiled. Measured in a process of its own with one vector
 * width, as in use: other tests run all widths, which blurs the profiles that HotSpot compiles by.
 */
class RegionAllocationTest {
  private static final com.sun.management.OperatingSystemMXBean SYSTEM =
      (com.sun.management.OperatingSystemMXBean)
          java.lang.management.ManagementFactory.getOperatingSystemMXBean();

  @Test
  void compiledKernelsAllocateNothing() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-XX:TypeProfileWidth=0", // no help from profiles, whose content varies
                "-cp",
                System.getProperty("java.class.path"),
                RegionAllocationTest.class.getName())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).contains("3 kernels allocate nothing");
  }

  /** Runs kernels until they are compiled; fails if one still allocates after a minute. */
  public static void main(String[] args) {
    List<Region> regions =
        List.of(region(List.of(4100)), region(List.of(75, 5)), region(List.of(49, 64)));
    for (Region region : regions) {
      long bytes = bytesWhenCompiled(region);
      if (bytes != 0) {
        System.out.println(bytes + " bytes allocated by 1000 runs of " + region);
        System.exit(1);
      }
    }
    System.out.println(regions.size() + " kernels allocate nothing");
  }

  private static long bytesWhenCompiled(Region region) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Arena arena = Arena.ofConfined()) {
      long[] addresses = new long[2 + region.outputs().size()];
      for (int i = 0; i < addresses.length; i++) {
        addresses[i] = arena.allocate(region.points() * 4 + 64, 64).address();
      }
      RegionKernel kernel = RegionCompiler.compile(region);
      // Of all threads: wall time would depend on what else runs on the machine.
      long deadline = SYSTEM.getProcessCpuTime() + 100_000_000_000L;
      long bytes = -1;
      while (bytes != 0 && SYSTEM.getProcessCpuTime() < deadline) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int run = 0; run < 1000; run++) {
          kernel.run(addresses);
        }
        bytes = threads.getCurrentThreadAllocatedBytes() - before;
      }
      return bytes;
    }
  }

  /** Much code: elementary functions, a mask, narrow and reduced outputs. */
  private static Region region(List<Integer> dims) {
    List<Instruction> code = new ArrayList<>(List.of(new Load(0, F32), new Load(1, F32)));
    List<ScalarFn> functions =
        List.of(ScalarFn.EXP, ScalarFn.LOG, ScalarFn.SIGN, ScalarFn.RELU, ScalarFn.SQRT);
    code.add(new Apply(ScalarFn.MUL, List.of(0, 1), F32));
    for (ScalarFn fn : functions) {
      code.add(new Apply(fn, List.of(code.size() - 1), F32));
    }
    code.add(new Apply(ScalarFn.LT, List.of(0, 1), F32));
    code.add(new Apply(ScalarFn.SELECT, List.of(8, 4, 7), F32));
    List<Long> dense = dims.size() == 1 ? List.of(1L) : List.of((long) dims.get(1), 1L);
    List<Long> column = dims.size() == 1 ? List.of(0L) : List.of(0L, 1L);
    return new Region(
        dims,
        List.of(new Operand(F32, dense), new Operand(BF16, column)),
        code,
        List.of(
            new Store(9, F32, dense),
            new Store(5, BF16, dense),
            new Reduction(Kind.SUM, 3, F32, column),
            new Reduction(Kind.MAX, 3, F32, column)));
  }
}
