package dev.vauban.bench.kernels;

import dev.vauban.natives.onednn.DataType;
import dev.vauban.natives.onednn.MatmulSpec;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.natives.onednn.Primitive;
import dev.vauban.tensor.backend.cpu.kernels.Gemm;
import dev.vauban.tensor.backend.cpu.kernels.Update;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Matrix products on one thread: oneDNN and the Java kernel. */
@State(Scope.Thread)
public class Products {
  /** Rows, inner size, columns. */
  @Param({"1024x1024x1024", "256x256x256", "1225x576x64", "75x64x5"})
  public String size;

  private final Buffers buffers = new Buffers();
  private OneDnn dnn;
  private Primitive primitive;
  private long stream;
  private Gemm gemm;
  private long a;
  private long b;
  private long c;
  private long scratch;

  /** Floating-point operations of a size. */
  static double flops(String size) {
    int[] n = Sizes.of(size);
    return 2.0 * n[0] * n[1] * n[2];
  }

  /** Allocates and compiles. */
  @Setup
  public void prepare() {
    int[] n = Sizes.of(size);
    a = buffers.floats((long) n[0] * n[1]);
    b = buffers.floats((long) n[1] * n[2]);
    c = buffers.floats((long) n[0] * n[2]);
    dnn = OneDnn.get();
    stream = dnn.newStream();
    primitive = dnn.matmul(MatmulSpec.rowMajor(1, n[0], n[1], n[2], DataType.F32));
    gemm = Gemm.of(1, n[0], n[2], n[1], Gemm.Form.PLAIN, Gemm.Form.PLAIN, Update.SET);
    scratch = buffers.bytes(Math.max(primitive.scratchBytes(), gemm.scratchBytes()));
  }

  /** oneDNN. */
  @Benchmark
  public void oneDnn() {
    primitive.run(stream, a, b, c, scratch);
  }

  /** The Vector API kernel. */
  @Benchmark
  public void java() {
    gemm.run(a, b, c, scratch);
  }

  /** Frees. */
  @TearDown
  public void free() {
    primitive.close();
    dnn.closeStream(stream);
    buffers.close();
  }
}
