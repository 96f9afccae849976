package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cpu.kernels.ConvShape;
import dev.vauban.tensor.backend.cpu.kernels.Winograd;
import dev.vauban.tensor.backend.cpu.kernels.WinogradConvolution;
import java.util.List;

/**
 * A convolution by Winograd's tiles, or its gradient for the images, as two steps: the transform of
 * its kernel, which several may share, and the rest.
 *
 * @param e the convolution
 * @param use which of the two
 * @param shape of the convolution
 * @param kernel the kernels' code
 */
record Tiles(Expr e, Use use, ConvShape shape, WinogradConvolution kernel) {
  /** Tiles that one product takes; with fewer, reading the kernel takes longer than multiplying. */
  static final int BLOCK = 32;

  // Smaller ones are transformed in the cache, quicker than they come back from memory.
  private static final long LARGE = 1 << 20;

  /** What a transformed kernel is for. */
  enum Use {
    FORWARD,
    INPUT_GRADIENT
  }

  /** The memory of a transformed kernel. */
  record Transformed(Object kernel, Use use) {}

  /** Null if {@code e} is no such convolution, or other kernels are quicker. */
  static Tiles of(Expr e, Context context) {
    if (!(e.op() instanceof ConvOp op) || op instanceof ConvOp.KernelGradient) {
      return null;
    }
    ConvShape shape = Convolution.tiled(e, op, context);
    if (shape == null) {
      return null;
    }
    Use use = op instanceof ConvOp.Convolve ? Use.FORWARD : Use.INPUT_GRADIENT;
    return new Tiles(e, use, shape, kernel(use, shape));
  }

  private static WinogradConvolution kernel(Use use, ConvShape shape) {
    return switch (use) {
      case FORWARD -> WinogradConvolution.forward(shape);
      case INPUT_GRADIENT -> WinogradConvolution.inputGradient(shape);
    };
  }

  int images() {
    return shape.batch();
  }

  long tiles() {
    return Winograd.tiles(shape);
  }

  long flops() {
    return (long) shape.flops();
  }

  /** Whether transforming the kernel once for many runs saves time. */
  boolean isLarge() {
    return kernel.kernelBytes() >= LARGE;
  }

  /** The type of a transformed kernel's memory. */
  Type transformedType() {
    return Type.f32(Math.toIntExact(kernel.kernelBytes() / Float.BYTES));
  }

  /** The step that transforms a kernel. */
  Step transform(Object from, Transformed to) {
    return new KernelStep(
        "winograd kernel " + e.input(1).type() + " for " + e.op().label(),
        List.of(from),
        List.of(to),
        kernel.transformScratchBytes(),
        0,
        (f, s, m) -> a -> kernel.transform(a[s[0]], a[s[1]], m));
  }

  /**
   * The rest.
   *
   * @param x memory of the images, or of their gradient
   * @param transformed memory of the kernel
   * @param parts into how many parts the images are divided
   */
  Step convolve(Object x, Object transformed, int parts, Context context) {
    ConvShape part =
        new ConvShape(
            shape.batch() / parts,
            shape.height(),
            shape.width(),
            shape.channels(),
            shape.filters(),
            shape.window(),
            shape.groups());
    WinogradConvolution k = kernel(use, part);
    List<Object> reads = List.of(x, transformed);
    Step step =
        new KernelStep(
            "winograd " + Kernels.label(e),
            reads,
            List.of(e),
            k.convolveScratchBytes(),
            (long) part.flops(),
            (f, s, m) -> a -> k.convolve(a[s[0]], a[s[1]], a[s[2]], m));
    if (parts == 1) {
      return step;
    }
    List<Long> strides = List.of(e.input(0).type().bytes() / parts, 0L, e.type().bytes() / parts);
    return Splitting.parts(step, parts, context, reads, List.of(e), strides, List.of());
  }
}
