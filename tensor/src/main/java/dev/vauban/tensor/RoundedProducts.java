package dev.vauban.tensor;

import java.util.List;
import java.util.function.Predicate;

/** The rewriting behind {@link Precision#BF16}: operands of large products are rounded. */
final class RoundedProducts {
  /** Channels and filters, each, below which a convolution is bound by memory, not by products. */
  private static final int CHANNELS = 16;

  /** The least size of a matrix product in each of its three directions. */
  private static final int SIDE = 64;

  private RoundedProducts() {}

  /** The same program with the operands of those large F32 products stored in BF16. */
  static Graph of(Graph g, Predicate<Expr> rounds) {
    return Passes.rewriteAll(
        g, (e, in) -> isLarge(e) && rounds.test(e) ? rounded(e.op(), in) : Expr.of(e.op(), in));
  }

  private static Expr rounded(Op op, List<Expr> in) {
    return Expr.of(op, in.stream().map(x -> x.cast(DType.BF16)).toList());
  }

  private static boolean isLarge(Expr e) {
    return switch (e.op()) {
      case ConvOp c -> e.input(0).dtype() == DType.F32 && isLarge(c, e);
      case ContractOp.Contract c -> e.input(0).dtype() == DType.F32 && isLarge(c, e);
      default -> false;
    };
  }

  private static boolean isLarge(ConvOp op, Expr e) {
    Shape kernel = op instanceof ConvOp.KernelGradient k ? k.kernel() : e.input(1).shape();
    return Math.min(kernel.dim(2), kernel.dim(3) / op.groups()) >= CHANNELS;
  }

  private static boolean isLarge(ContractOp.Contract op, Expr e) {
    Shape left = e.input(0).shape();
    Shape right = e.input(1).shape();
    return size(left, op.leftFree(left.rank())) >= SIDE
        && size(left, op.leftSum()) >= SIDE
        && size(right, op.rightFree(right.rank())) >= SIDE;
  }

  private static long size(Shape s, List<Integer> axes) {
    return axes.stream().mapToLong(s::dim).reduce(1, Math::multiplyExact);
  }
}
