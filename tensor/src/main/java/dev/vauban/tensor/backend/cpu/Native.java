package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.onednn.Primitive;
import dev.vauban.tensor.Expr;
import java.util.List;
import java.util.function.Supplier;

/** Steps that run a oneDNN primitive: one primitive per frame, made when the plan is made. */
final class Native {
  private Native() {}

  /**
   * A step of two operands.
   *
   * @param make makes a primitive; called once here for its sizes and once per frame
   * @throws dev.vauban.natives.NativeException if oneDNN has no code for it
   */
  static Step step(Expr e, List<Object> reads, Context context, Supplier<Primitive> make) {
    long scratch;
    long flops;
    String implementation;
    try (Primitive p = make.get()) {
      scratch = p.scratchBytes();
      flops = p.flops();
      implementation = p.implementation();
    }
    return new KernelStep(
        implementation + " " + Kernels.label(e),
        reads,
        List.of(e),
        scratch,
        flops,
        (frame, s, m) -> new Running(make.get(), context.stream(frame.worker), s, m));
  }

  private record Running(Primitive primitive, long stream, int[] slots, long scratch)
      implements Step.Call {
    @Override
    public void run(long[] a) {
      primitive.run(stream, a[slots[0]], a[slots[1]], a[slots[2]], scratch);
    }

    @Override
    public void close() {
      primitive.close();
    }
  }
}
