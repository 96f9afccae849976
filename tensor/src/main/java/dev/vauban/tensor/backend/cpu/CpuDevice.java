package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.backend.cpu.kernels.Species;
import java.util.Optional;

/** The CPU: fused nests on the Vector API, oneDNN where available, Maps spread over workers. */
public final class CpuDevice implements Device {
  /** Whether convolutions and contractions may use oneDNN. */
  public enum Kernels {
    /** oneDNN where it is available, else Java. */
    BEST,
    /** Java only. */
    JAVA
  }

  private final Context context;

  private CpuDevice(Context context) {
    this.context = context;
  }

  /** A device with this many workers, at least 1, and the best kernels. */
  public static CpuDevice open(int workers) {
    return open(workers, Kernels.BEST);
  }

  /**
   * A device with this many workers, at least 1. Its 3x3 convolutions use Winograd's tiles where
   * they pay, unless the system property {@code vauban.winograd}, or else the environment variable
   * {@code VAUBAN_WINOGRAD}, is {@code off}.
   */
  public static CpuDevice open(int workers, Kernels kernels) {
    if (workers < 1) {
      throw new IllegalArgumentException("a device needs at least 1 worker, not " + workers);
    }
    Optional<OneDnn> dnn = kernels == Kernels.BEST ? OneDnn.find() : Optional.empty();
    return new CpuDevice(new Context(workers, dnn, WinogradChoice.read(), Bf16Choice.read()));
  }

  @Override
  public String name() {
    return "cpu:" + context.workers.size();
  }

  @Override
  public String description() {
    String dnn =
        context.oneDnn.isPresent()
            ? "oneDNN " + OneDnn.status().version() + " (" + OneDnn.status().isa() + ")"
            : "Java kernels";
    return "cpu, %d worker(s), %d-bit vectors, %s"
        .formatted(context.workers.size(), Species.BYTES * 8, dnn);
  }

  @Override
  public Plan compile(Program program) {
    context.check();
    return new CpuPlan(program, context);
  }

  @Override
  public boolean rounds(Expr product) {
    return switch (product.op()) {
      case ConvOp op -> Convolution.rounds(product, op, context);
      default -> context.bf16 != Bf16Choice.MIXED || context.oneDnn.isPresent();
    };
  }

  @Override
  public void close() {
    context.close();
  }
}
