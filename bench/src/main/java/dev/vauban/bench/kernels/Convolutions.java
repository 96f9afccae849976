package dev.vauban.bench.kernels;

import dev.vauban.natives.onednn.ConvSpec;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.natives.onednn.Primitive;
import dev.vauban.tensor.backend.cpu.kernels.ConvForward;
import dev.vauban.tensor.backend.cpu.kernels.ConvInputGradient;
import dev.vauban.tensor.backend.cpu.kernels.ConvKernelGradient;
import dev.vauban.tensor.backend.cpu.kernels.ConvShape;
import dev.vauban.tensor.backend.cpu.kernels.WindowShape;
import dev.vauban.tensor.backend.cpu.kernels.WinogradConvolution;
import dev.vauban.tensor.backend.cpu.kernels.WinogradKernelGradient;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The convolution triad, 3x3 with padding 1, on one thread: oneDNN, the Java kernels by the
 * definition, and Winograd's tiles. FLOP are those of the definition for all three.
 */
@State(Scope.Thread)
public class Convolutions {
  /** Images, height, width, channels, filters. */
  @Param({
    "75x28x28x1x64",
    "5x28x28x1x64",
    "75x84x84x3x32",
    "5x84x84x3x32",
    "256x32x32x3x64",
    "75x14x14x64x64",
    "5x14x14x64x64",
    "75x7x7x64x64",
    "5x7x7x64x64",
    "75x3x3x64x64",
    "75x42x42x32x32"
  })
  public String size;

  private final Buffers buffers = new Buffers();
  private OneDnn dnn;
  private Primitive forward;
  private Primitive inputGradient;
  private Primitive kernelGradient;
  private ConvForward javaForward;
  private ConvInputGradient javaInputGradient;
  private ConvKernelGradient javaKernelGradient;
  private WinogradConvolution winogradForward;
  private WinogradConvolution winogradInputGradient;
  private WinogradKernelGradient winogradKernelGradient;
  private long stream;
  private long x;
  private long w;
  private long y;
  private long scratch;

  /** Floating-point operations of each of the three, padding included. */
  static double flops(String size) {
    int[] n = Sizes.of(size);
    return 2.0 * n[0] * n[1] * n[2] * n[3] * n[4] * 9;
  }

  /** Allocates and compiles. */
  @Setup
  public void prepare() {
    int[] n = Sizes.of(size);
    ConvSpec spec = ConvSpec.of(n[0], n[1], n[2], n[3], n[4], 3, 3).pad(1, 1, 1, 1);
    dnn = OneDnn.get();
    stream = dnn.newStream();
    forward = dnn.convForward(spec);
    inputGradient = dnn.convBackwardData(spec);
    kernelGradient = dnn.convBackwardWeights(spec);
    WindowShape window = new WindowShape(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
    ConvShape shape = new ConvShape(n[0], n[1], n[2], n[3], n[4], window, 1);
    javaForward = new ConvForward(shape);
    javaInputGradient = new ConvInputGradient(shape);
    javaKernelGradient = new ConvKernelGradient(shape);
    winogradForward = WinogradConvolution.forward(shape);
    winogradInputGradient = WinogradConvolution.inputGradient(shape);
    winogradKernelGradient = new WinogradKernelGradient(shape);
    x = buffers.floats(spec.xSize());
    w = buffers.floats(spec.wSize());
    y = buffers.floats(spec.ySize());
    long most = Math.max(forward.scratchBytes(), inputGradient.scratchBytes());
    most = Math.max(most, kernelGradient.scratchBytes());
    most = Math.max(most, javaForward.scratchBytes());
    most = Math.max(most, javaInputGradient.scratchBytes());
    most = Math.max(most, javaKernelGradient.scratchBytes());
    most = Math.max(most, winogradForward.scratchBytes());
    most = Math.max(most, winogradInputGradient.scratchBytes());
    scratch = buffers.bytes(Math.max(most, winogradKernelGradient.scratchBytes()));
  }

  /** oneDNN forward. */
  @Benchmark
  public void oneDnnForward() {
    forward.run(stream, x, w, y, scratch);
  }

  /** oneDNN backward data. */
  @Benchmark
  public void oneDnnInputGradient() {
    inputGradient.run(stream, y, w, x, scratch);
  }

  /** oneDNN backward weights. */
  @Benchmark
  public void oneDnnKernelGradient() {
    kernelGradient.run(stream, x, y, w, scratch);
  }

  /** Java forward. */
  @Benchmark
  public void javaForward() {
    javaForward.run(x, w, y, scratch);
  }

  /** Java gradient with respect to the images. */
  @Benchmark
  public void javaInputGradient() {
    javaInputGradient.run(y, w, x, scratch);
  }

  /** Java gradient with respect to the kernel. */
  @Benchmark
  public void javaKernelGradient() {
    javaKernelGradient.run(x, y, w, scratch);
  }

  /** Winograd's tiles forward. */
  @Benchmark
  public void winogradForward() {
    winogradForward.run(x, w, y, scratch);
  }

  /** Winograd's gradient with respect to the images. */
  @Benchmark
  public void winogradInputGradient() {
    winogradInputGradient.run(y, w, x, scratch);
  }

  /** Winograd's gradient with respect to the kernel. */
  @Benchmark
  public void winogradKernelGradient() {
    winogradKernelGradient.run(x, y, w, scratch);
  }

  /** Frees. */
  @TearDown
  public void free() {
    forward.close();
    inputGradient.close();
    kernelGradient.close();
    dnn.closeStream(stream);
    buffers.close();
  }
}
