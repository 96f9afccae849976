package dev.vauban.tensor.backend.cpu.kernels;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Prints how fast the kernels run on one thread, as a share of the measured peak of fused
 * multiply-adds (the register tile on data in the first-level cache). Time is the thread's
 * processor time and kernels take turns, so that a busy machine disturbs little; the best of
 * several turns counts. Not a test: run it by hand.
 */
public final class KernelTimings {
  private static final int TURNS = 25;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final double TURN_SECONDS = 0.02;

  private record Timed(String name, double operations, String unit, Runnable kernel) {}

  private KernelTimings() {}

  /** Takes no arguments. */
  public static void main(String[] args) {
    try (Arena arena = Arena.ofShared()) {
      long memory = arena.allocate(256L << 20, 4096).address();
      for (long i = 0; i < 96L << 20; i += 4) {
        Memory.setFloat(memory + i, (float) Math.sin(i * 0.37));
      }
      run(kernels(memory, memory + (48L << 20), memory + (96L << 20), memory + (160L << 20)));
    }
  }

  /** x and w are only read: fed back, values would soon be subnormal and ten times slower. */
  private static List<Timed> kernels(long x, long w, long y, long s) {
    List<Timed> all = new ArrayList<>();
    int k = 192;
    all.add(
        new Timed(
            "peak",
            100 * 2.0 * Tile.ROWS * Tile.COLUMNS * k,
            "GFLOP/s",
            () -> {
              for (int i = 0; i < 100; i++) {
                Tile.run(
                    x,
                    4 * k,
                    4,
                    w,
                    4L * Tile.COLUMNS,
                    k,
                    y,
                    4L * Tile.COLUMNS,
                    Tile.ROWS,
                    Tile.COLUMNS,
                    Update.SET,
                    s);
              }
            }));
    for (int[] m : new int[][] {{256, 256, 256}, {64, 64, 576}, {25, 5, 1600}, {75, 5, 64}}) {
      for (Gemm.Form b : Gemm.Form.values()) {
        Gemm g = Gemm.of(1, m[0], m[1], m[2], Gemm.Form.PLAIN, b, Update.SET);
        String name = "gemm " + m[0] + "x" + m[1] + "x" + m[2] + " B " + b;
        all.add(new Timed(name, g.flops(), "GFLOP/s", () -> g.run(x, w, y, s)));
      }
    }
    int[][] layers = {
      {25, 14, 64, 64, 1},
      {25, 7, 64, 64, 1},
      {25, 28, 1, 64, 1},
      {25, 28, 64, 64, 2},
      {25, 32, 3, 32, 1},
      {25, 16, 32, 32, 1},
      {25, 32, 16, 16, 1}
    };
    for (int[] l : layers) {
      ConvShape c = new ConvShape(l[0], l[1], l[1], l[2], l[3], WindowShape.square(3, l[4], 1), 1);
      ConvForward f = new ConvForward(c);
      ConvInputGradient g = new ConvInputGradient(c);
      ConvKernelGradient h = new ConvKernelGradient(c);
      String name = " N=" + l[0] + " " + l[1] + "x" + l[1] + " " + l[2] + "->" + l[3] + "/" + l[4];
      all.add(new Timed("conv" + name, c.flops(), "GFLOP/s", () -> f.run(x, w, y, s)));
      all.add(new Timed("conv gx" + name, c.flops(), "GFLOP/s", () -> g.run(x, w, y, s)));
      all.add(new Timed("conv gw" + name, c.flops(), "GFLOP/s", () -> h.run(x, w, y, s)));
    }
    PoolShape p = new PoolShape(25, 28, 28, 64, WindowShape.square(2, 2, 0));
    MaxPool max = new MaxPool(p);
    PoolGather gather = new PoolGather(p);
    PoolScatter scatter = new PoolScatter(p);
    double bytes = p.inputSize() * 4 * 1.3125; // input, a quarter of it as output, positions
    all.add(new Timed("max pool", bytes, "GB/s", () -> max.run(x, y, s, 0)));
    all.add(new Timed("pool gather", bytes, "GB/s", () -> gather.run(x, s, y, 0)));
    all.add(new Timed("pool scatter", bytes, "GB/s", () -> scatter.run(x, s, y, 0)));
    Transpose t = new Transpose(4, new int[] {25, 196, 64}, new int[] {0, 2, 1});
    all.add(new Timed("transpose", 25 * 196 * 64 * 8.0, "GB/s", () -> t.run(x, y, 0)));
    for (Threefry.Distribution d : Threefry.Distribution.values()) {
      Threefry r = new Threefry(d, 1, 100_000);
      all.add(new Timed("random " + d, 100_000, "G/s", () -> r.draw(1, 2, y, s)));
    }
    return all;
  }

  private static void run(List<Timed> all) {
    double[] best = new double[all.size()];
    for (int turn = 0; turn < TURNS; turn++) {
      for (int i = 0; i < best.length; i++) {
        Timed t = all.get(i);
        int runs = 0;
        long start = THREADS.getCurrentThreadCpuTime();
        double seconds;
        do {
          t.kernel.run();
          runs++;
          seconds = (THREADS.getCurrentThreadCpuTime() - start) * 1e-9;
        } while (seconds < TURN_SECONDS);
        best[i] = Math.max(best[i], t.operations * runs / seconds * 1e-9);
      }
    }
    for (int i = 0; i < best.length; i++) {
      Timed t = all.get(i);
      String share =
          t.unit.equals("GFLOP/s")
              ? String.format(Locale.ROOT, "%5.0f%% of peak", 100 * best[i] / best[0])
              : "";
      System.out.printf(Locale.ROOT, "%-36s %8.2f %-8s %s%n", t.name, best[i], t.unit, share);
    }
  }
}
