package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.onednn.ConvSpec;
import dev.vauban.natives.onednn.DataType;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.natives.onednn.Primitive;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cpu.kernels.ConvForward;
import dev.vauban.tensor.backend.cpu.kernels.ConvInputGradient;
import dev.vauban.tensor.backend.cpu.kernels.ConvKernelGradient;
import dev.vauban.tensor.backend.cpu.kernels.ConvShape;
import dev.vauban.tensor.backend.cpu.kernels.Winograd;
import dev.vauban.tensor.backend.cpu.kernels.WinogradConvolution;
import dev.vauban.tensor.backend.cpu.kernels.WinogradKernelGradient;
import java.util.List;
import java.util.function.Supplier;

/**
 * Convolutions: Winograd's tiles where they pay, Java's kernels for images of few channels where
 * they are quicker, else oneDNN where it is available and has code for the shapes, else Java
 * kernels.
 *
 * <p>The FLOP of a step are those of the definition, whatever computes it: Winograd's tiles do with
 * fewer, so their share of a machine's peak may exceed 1.
 */
final class Convolution {
  private Convolution() {}

  static Step step(Expr e, ConvOp op, List<Object> reads, Context context) {
    Shape x = images(e, op);
    Shape w = kernel(e, op);
    DType t = e.input(0).dtype();
    ConvShape shape = shape(op, x, w);
    if (t == DType.BF16 && !hasPrimitive(e, op, context)) {
      return WidenedStep.of(e, reads, wide -> step(wide, op, reads, context));
    }
    if (tiled(e, op, context) != null) {
      return winograd(e, op, reads, shape);
    }
    boolean quickInJava = t == DType.F32 && isQuick(op, shape);
    if (!quickInJava && context.oneDnn.isPresent() && (t == DType.F32 || t == DType.BF16)) {
      OneDnn dnn = context.oneDnn.get();
      ConvSpec spec = spec(op, x, w, t);
      Supplier<Primitive> make =
          () ->
              switch (op) {
                case ConvOp.Convolve c -> dnn.convForward(spec);
                case ConvOp.InputGradient c -> dnn.convBackwardData(spec);
                case ConvOp.KernelGradient c -> dnn.convBackwardWeights(spec);
              };
      try {
        return Native.step(e, reads, context, make);
      } catch (NativeException none) {
        System.getLogger(Convolution.class.getName())
            .log(System.Logger.Level.DEBUG, "no native kernel for " + spec, none);
      }
    }
    return switch (t) {
      case F32 -> java(e, op, reads, shape);
      case BF16 -> WidenedStep.of(e, reads, wide -> step(wide, op, reads, context));
      default -> InterpretedStep.of(e, reads);
    };
  }

  /** Whether a program in BF16 rounds the operands of this F32 product. */
  static boolean rounds(Expr e, ConvOp op, Context context) {
    return context.bf16 != Bf16Choice.MIXED || hasPrimitive(e, op, context);
  }

  /** Whether oneDNN's primitive is what computes it of BF16 operands. */
  private static boolean hasPrimitive(Expr e, ConvOp op, Context context) {
    ConvShape shape = shape(op, images(e, op), kernel(e, op));
    boolean tiles = context.winograd == WinogradChoice.ON;
    return context.oneDnn.isPresent() && context.bf16.primitive(op, shape, tiles);
  }

  private static boolean isQuick(ConvOp op, ConvShape shape) {
    return switch (op) {
      case ConvOp.Convolve c -> ConvForward.isQuick(shape);
      case ConvOp.InputGradient c -> ConvInputGradient.isQuick(shape);
      case ConvOp.KernelGradient c -> ConvKernelGradient.isQuick(shape);
    };
  }

  private static Shape images(Expr e, ConvOp op) {
    return op instanceof ConvOp.InputGradient c ? c.input() : e.input(0).shape();
  }

  private static Shape kernel(Expr e, ConvOp op) {
    return op instanceof ConvOp.KernelGradient c ? c.kernel() : e.input(1).shape();
  }

  /** The shape of a convolution that Winograd's tiles compute; null if others do. */
  static ConvShape tiled(Expr e, ConvOp op, Context context) {
    ConvShape shape = shape(op, images(e, op), kernel(e, op));
    boolean on = context.winograd == WinogradChoice.ON && e.input(0).dtype() == DType.F32;
    return on && Winograd.pays(shape) ? shape : null;
  }

  /** Floating-point operations by the definition. */
  static long flops(Expr e, ConvOp op) {
    return (long) shape(op, images(e, op), kernel(e, op)).flops();
  }

  private static ConvSpec spec(ConvOp op, Shape x, Shape w, DType operands) {
    Window v = op.window();
    DataType t = operands == DType.F32 ? DataType.F32 : DataType.BF16;
    DataType sums = DataType.F32;
    // At once, not step by step: an image smaller than the kernel is in order with its padding.
    return new ConvSpec(
        x.dim(0),
        x.dim(1),
        x.dim(2),
        x.dim(3),
        w.dim(3),
        w.dim(0),
        w.dim(1),
        v.strideH(),
        v.strideW(),
        v.top(),
        v.bottom(),
        v.left(),
        v.right(),
        v.dilationH(),
        v.dilationW(),
        op.groups(),
        op instanceof ConvOp.InputGradient ? sums : t,
        op instanceof ConvOp.KernelGradient ? sums : t,
        op instanceof ConvOp.Convolve ? sums : t);
  }

  private static ConvShape shape(ConvOp op, Shape x, Shape w) {
    return new ConvShape(
        x.dim(0),
        x.dim(1),
        x.dim(2),
        x.dim(3),
        w.dim(3),
        Kernels.window(op.window(), w.dim(0), w.dim(1)),
        op.groups());
  }

  private static Step winograd(Expr e, ConvOp op, List<Object> reads, ConvShape shape) {
    String label = "winograd " + Kernels.label(e);
    long flops = (long) shape.flops();
    if (op instanceof ConvOp.KernelGradient) {
      WinogradKernelGradient k = new WinogradKernelGradient(shape);
      return new KernelStep(
          label,
          reads,
          List.of(e),
          k.scratchBytes(),
          flops,
          (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
    }
    WinogradConvolution k =
        op instanceof ConvOp.Convolve
            ? WinogradConvolution.forward(shape)
            : WinogradConvolution.inputGradient(shape);
    return new KernelStep(
        label,
        reads,
        List.of(e),
        k.scratchBytes(),
        flops,
        (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
  }

  private static Step java(Expr e, ConvOp op, List<Object> reads, ConvShape shape) {
    long flops = (long) shape.flops();
    return switch (op) {
      case ConvOp.Convolve c -> {
        ConvForward k = new ConvForward(shape);
        yield step(
            e,
            reads,
            k.scratchBytes(),
            flops,
            (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case ConvOp.InputGradient c -> {
        ConvInputGradient k = new ConvInputGradient(shape);
        yield step(
            e,
            reads,
            k.scratchBytes(),
            flops,
            (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case ConvOp.KernelGradient c -> {
        ConvKernelGradient k = new ConvKernelGradient(shape);
        yield step(
            e,
            reads,
            k.scratchBytes(),
            flops,
            (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
    };
  }

  private static Step step(
      Expr e, List<Object> reads, long scratch, long flops, KernelStep.Maker maker) {
    return new KernelStep("java " + Kernels.label(e), reads, List.of(e), scratch, flops, maker);
  }
}
