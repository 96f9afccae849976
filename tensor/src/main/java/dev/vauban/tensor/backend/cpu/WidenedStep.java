package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.backend.cpu.kernels.Widen;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.util.List;
import java.util.function.Function;

/**
 * A product of two BF16 arrays computed by an F32 kernel: the operands are widened to F32 in
 * scratch memory first, which is exact.
 */
final class WidenedStep {
  private WidenedStep() {}

  /**
   * The step of a product.
   *
   * @param e a product of BF16 operands
   * @param wide makes the step of the same product of F32 operands
   */
  static Step of(Expr e, List<Object> reads, Function<Expr, Step> wide) {
    Expr left = e.input(0);
    Expr right = e.input(1);
    Step product =
        wide.apply(Expr.of(e.op(), List.of(left.cast(DType.F32), right.cast(DType.F32))));
    Widen first = new Widen(left.shape().size());
    Widen second = new Widen(right.shape().size());
    long rightAt = MemoryPlanner.align(first.bytes());
    long productAt = rightAt + MemoryPlanner.align(second.bytes());
    return new KernelStep(
        "widened " + product.label(),
        reads,
        List.of(e),
        productAt + product.scratchBytes(),
        product.flops(),
        (frame, s, m) ->
            new Running(
                first,
                second,
                product.instantiate(frame, new int[] {0, 1, 2}, m + productAt),
                s,
                new long[] {m, m + rightAt, 0}));
  }

  private record Running(Widen first, Widen second, Step.Call product, int[] slots, long[] own)
      implements Step.Call {
    @Override
    public void run(long[] a) {
      first.run(a[slots[0]], own[0]);
      second.run(a[slots[1]], own[1]);
      own[2] = a[slots[2]];
      product.run(own);
    }

    @Override
    public void close() {
      product.close();
    }
  }
}
