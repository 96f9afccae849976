package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Kernels allocate nothing once compiled, and several threads may share one. The build runs it
 * twice: after all other tests, whose use of the Vector API fills the profiles that HotSpot
 * compiles by, and in a JVM that keeps no profile of receiver classes at all. A kernel that needs a
 * profile to know the class of its vectors fails there, every time.
 */
class SteadyStateTest {
  /** Of all threads, the compiler's included: wall time would depend on what else runs. */
  private static final long LIMIT_CPU_NANOS = 200_000_000_000L;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static Map<String, Runnable> kernels() {
    Map<String, Runnable> all = new TreeMap<>();
    Area x = Area.of(Area.random(40_000, 1));
    Area w = Area.of(Area.random(40_000, 2));
    Area y = new Area(4 * 80_000);
    Area z = new Area(4 * 80_000);
    Area s = new Area(8 << 20);
    for (Gemm.Form a : Gemm.Form.values()) {
      for (Gemm.Form b : Gemm.Form.values()) {
        Gemm odd = Gemm.of(2, 13, 41, 35, a, b, Update.ADD);
        Gemm even = Gemm.of(1, 17, 64, 64, a, b, Update.SET);
        all.put("gemm odd " + a + b, () -> odd.run(x.address, w.address, y.address, s.address));
        all.put("gemm " + a + b, () -> even.run(x.address, w.address, y.address, s.address));
      }
    }
    for (int c : new int[] {1, 3, 33}) {
      for (int stride : new int[] {1, 2}) {
        int filters = c == 1 ? 48 : 40; // of few channels, those that fill vectors go another way
        ConvShape shape = new ConvShape(1, 7, 7, c, filters, WindowShape.square(3, stride, 1), 1);
        ConvForward f = new ConvForward(shape);
        ConvInputGradient g = new ConvInputGradient(shape);
        ConvKernelGradient k = new ConvKernelGradient(shape);
        String name = " channels " + c + " stride " + stride;
        all.put("conv" + name, () -> f.run(x.address, w.address, y.address, s.address));
        all.put("conv gx" + name, () -> g.run(x.address, w.address, y.address, s.address));
        all.put("conv gw" + name, () -> k.run(x.address, w.address, y.address, s.address));
      }
    }
    ConvShape colours = new ConvShape(1, 9, 7, 3, 48, WindowShape.square(3, 1, 1), 1);
    ConvForward threeForward = new ConvForward(colours);
    ConvKernelGradient threeGradient = new ConvKernelGradient(colours);
    all.put("few", () -> threeForward.run(x.address, w.address, y.address, s.address));
    all.put("few gw", () -> threeGradient.run(x.address, w.address, y.address, s.address));
    for (int c : new int[] {16, 33}) {
      ConvShape shape = new ConvShape(2, 7, 7, c, 40, WindowShape.square(3, 1, 1), 1);
      WinogradConvolution f = WinogradConvolution.forward(shape);
      WinogradConvolution g = WinogradConvolution.inputGradient(shape);
      WinogradKernelGradient k = new WinogradKernelGradient(shape);
      all.put("winograd " + c, () -> f.run(x.address, w.address, y.address, s.address));
      all.put("winograd gx " + c, () -> g.run(x.address, w.address, y.address, s.address));
      all.put("winograd gw " + c, () -> k.run(x.address, w.address, y.address, s.address));
    }
    for (int overlap : new int[] {0, 1}) {
      PoolShape p = new PoolShape(2, 9, 9, 35, WindowShape.square(2 + overlap, 2, overlap));
      MaxPool max = new MaxPool(p);
      PoolArgMax arg = new PoolArgMax(p);
      PoolGather gather = new PoolGather(p);
      PoolScatter scatter = new PoolScatter(p);
      PoolSum sum = new PoolSum(p);
      PoolSumGradient spread = new PoolSumGradient(p);
      all.put("max pool " + overlap, () -> max.run(x.address, y.address, z.address, 0));
      all.put("pool arg max " + overlap, () -> arg.run(x.address, z.address, 0));
      all.put("pool gather " + overlap, () -> gather.run(x.address, w.address, y.address, 0));
      all.put("pool scatter " + overlap, () -> scatter.run(x.address, w.address, y.address, 0));
      all.put("pool sum " + overlap, () -> sum.run(x.address, y.address, 0));
      all.put("pool sum gradient " + overlap, () -> spread.run(x.address, y.address, 0));
    }
    for (int element : new int[] {1, 4}) {
      Transpose t = new Transpose(element, new int[] {3, 37, 21}, new int[] {2, 0, 1});
      all.put("transpose " + element, () -> t.run(x.address, y.address, 0));
      Slice slice =
          new Slice(
              element, new int[] {20, 30}, new int[] {1, 2}, new int[] {19, 29}, new int[] {1, 2});
      all.put("slice " + element, () -> slice.run(x.address, y.address, 0));
      Pad pad =
          new Pad(
              element, new int[] {20, 30}, new int[] {1, 2}, new int[] {0, 1}, new int[] {1, 0}, 0);
      all.put("pad " + element, () -> pad.run(x.address, y.address, 0));
      long[] sources = {x.address, w.address};
      Concat concat = new Concat(element, 5, new int[] {3, 4}, 13);
      all.put("concat " + element, () -> concat.run(sources, y.address, 0));
      Area indices = Area.of(3, 1, 4, 1, 5, 9, 2, 6);
      Gather gather = new Gather(element, 3, 10, 33, 8);
      all.put("gather " + element, () -> gather.run(x.address, indices.address, y.address, 0));
      ScatterAdd add = new ScatterAdd(3, 10, 32 + element, 8, Update.SET);
      all.put("scatter " + element, () -> add.run(x.address, indices.address, y.address, 0));
    }
    ArgSort sort = new ArgSort(Element.F32, 3, 50, 2, ArgSort.Order.DESCENDING, 50);
    ArgSort top = new ArgSort(Element.F32, 3, 50, 2, ArgSort.Order.DESCENDING, 3);
    ArgReduce max = new ArgReduce(ArgReduce.Kind.MAX, Element.F32, 25, 5, 3);
    all.put("arg sort", () -> sort.run(x.address, y.address, s.address));
    all.put("arg sort top", () -> top.run(x.address, y.address, s.address));
    all.put("arg reduce", () -> max.run(x.address, y.address, s.address));
    for (Threefry.Distribution d : Threefry.Distribution.values()) {
      Threefry random = new Threefry(d, 2, 205);
      all.put("random " + d, () -> random.run(w.address, y.address, s.address));
    }
    KeyFold fold = new KeyFold(9);
    Fill fill = Fill.of(333, 2f);
    Copy copy = new Copy(4001);
    all.put("fold", () -> fold.run(x.address, w.address, y.address, 0));
    all.put("fill", () -> fill.run(y.address, 0));
    all.put("copy", () -> copy.run(x.address, y.address, 0));
    return all;
  }

  /**
   * Every kernel in turn, since what one has loaded can undo another's compiled code. There must
   * come a round in which none allocates; the compiler needs a while.
   */
  @Test
  void nothingIsAllocated() {
    Map<String, Runnable> left = kernels();
    Map<String, Runnable> all = new LinkedHashMap<>(left); // the same order in every run
    long id = Thread.currentThread().threadId();
    long end = SYSTEM.getProcessCpuTime() + LIMIT_CPU_NANOS;
    while (!left.isEmpty() && SYSTEM.getProcessCpuTime() < end) {
      Map<String, Runnable> allocating = new TreeMap<>();
      for (Map.Entry<String, Runnable> e : all.entrySet()) {
        long before = THREADS.getThreadAllocatedBytes(id);
        for (int i = 0; i < 50; i++) {
          e.getValue().run();
        }
        if (THREADS.getThreadAllocatedBytes(id) > before) {
          allocating.put(e.getKey(), e.getValue());
        }
      }
      left = allocating;
    }
    assertThat(left.keySet()).as("kernels that still allocate").isEmpty();
  }

  @Test
  void twoThreadsShareOneKernel() throws InterruptedException {
    ConvShape shape = new ConvShape(3, 11, 11, 17, 33, WindowShape.square(3, 1, 1), 1);
    ConvForward conv = new ConvForward(shape);
    float[][] results = new float[4][];
    Area w = Area.of(Area.random(9 * 17 * 33, 2));
    Thread[] threads = new Thread[4];
    Area[] x = new Area[4];
    Area[] y = new Area[4];
    Area[] s = new Area[4];
    for (int i = 0; i < 4; i++) {
      x[i] = Area.of(Area.random(3 * 11 * 11 * 17, i / 2)); // two threads with each input
      y[i] = new Area(4 * 3 * 11 * 11 * 33);
      s[i] = new Area(conv.scratchBytes());
      int at = i;
      threads[i] =
          new Thread(() -> {
            for (int r = 0; r < 200; r++) {
              conv.run(x[at].address, w.address, y[at].address, s[at].address);
            }
          });
    }
    for (Thread t : threads) {
      t.start();
    }
    for (int i = 0; i < 4; i++) {
      threads[i].join();
      results[i] = y[i].floats();
    }
    assertThat(results[1]).isEqualTo(results[0]);
    assertThat(results[3]).isEqualTo(results[2]);
    assertThat(results[2]).isNotEqualTo(results[0]);
  }

  @Test
  void theSameBitsInterpretedAndCompiled() {
    Area x = Area.of(Area.random(13 * 70, 1));
    Area w = Area.of(Area.random(70 * 41, 2));
    Area y = new Area(4 * 13 * 41);
    Gemm gemm = Gemm.of(1, 13, 41, 70, Gemm.Form.PLAIN, Gemm.Form.PLAIN, Update.SET);
    Area s = new Area(gemm.scratchBytes());
    gemm.run(x.address, w.address, y.address, s.address);
    float[] first = y.floats();
    for (int i = 0; i < 20_000; i++) {
      gemm.run(x.address, w.address, y.address, s.address);
    }
    assertThat(y.floats()).isEqualTo(first);
  }
}
