package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * Divides large kernel calls outside every Map into {@link PartsStep parts}, so that workers that
 * would be idle help: nests along their outermost loop, convolutions and pooling by images. What
 * sums over the images (a reduction, a kernel's gradient) makes a sum for each part first.
 */
final class Splitting {
  /** More would divide finer than the usual number of workers needs, and add up more sums. */
  private static final int PARTS = 4;

  /** The parts of a kernel's gradient, each of which is as large as the kernel. */
  private static final int SUMMED = 2;

  // Waking a worker takes up to 50 us: parts take several times as long.
  private static final long POINTS = 1 << 15;
  private static final long FLOPS = 20_000_000;

  private Splitting() {}

  /** A nest in parts if it is large, else as it is. */
  static Step nest(RegionStep whole, Context context) {
    Region r = whole.region();
    int outer = r.dims().getFirst();
    int parts = parts(outer, Math.min(PARTS, r.points() / POINTS));
    boolean divisible =
        parts > 1
            && outer > parts
            && r.code().stream().noneMatch(i -> i instanceof Region.Index x && x.dim() == 0)
            && r.outputs().stream().allMatch(o -> !isSum(o) || o.dtype() == DType.F32);
    if (!divisible) {
      return whole;
    }
    List<Integer> dims = new ArrayList<>(r.dims());
    dims.set(0, outer / parts);
    Region part = new Region(List.copyOf(dims), r.operands(), r.code(), r.outputs());
    List<Long> strides = new ArrayList<>();
    r.operands().forEach(o -> strides.add(stride(o.dtype(), o.strides(), outer / parts)));
    List<PartsStep.Sum> sums = new ArrayList<>();
    for (int i = 0; i < r.outputs().size(); i++) {
      Region.Output o = r.outputs().get(i);
      strides.add(stride(o.dtype(), o.strides(), outer / parts));
      if (isSum(o)) {
        sums.add(sum(i, elements(r, o), parts, ((Region.Reduction) o).kind()));
      }
    }
    RegionStep step =
        new RegionStep(
            part,
            RegionCompiler.compile(part),
            whole.reads(),
            whole.offsets(),
            whole.writes(),
            whole.label());
    return parts(step, parts, context, whole.reads(), whole.writes(), strides, sums);
  }

  private static boolean isSum(Region.Output o) {
    return o instanceof Region.Reduction && o.strides().getFirst() == 0;
  }

  private static long stride(DType type, List<Long> strides, int rows) {
    return strides.getFirst() * rows * type.bytes();
  }

  private static long elements(Region r, Region.Output o) {
    long n = 1;
    for (int d = 0; d < r.dims().size(); d++) {
      n *= o.strides().get(d) == 0 ? 1 : r.dims().get(d);
    }
    return n;
  }

  private static PartsStep.Sum sum(int write, long elements, int parts, Region.Kind kind) {
    long bytes = elements * DType.F32.bytes();
    long row = MemoryPlanner.align(bytes) / DType.F32.bytes();
    boolean one = elements == 1;
    Region combine =
        new Region(
            one ? List.of(parts) : List.of(parts, Math.toIntExact(elements)),
            List.of(new Region.Operand(DType.F32, one ? List.of(row) : List.of(row, 1L))),
            List.of(new Region.Load(0, DType.F32)),
            List.of(new Region.Reduction(kind, 0, DType.F32, one ? List.of(0L) : List.of(0L, 1L))));
    return new PartsStep.Sum(write, bytes, RegionCompiler.compile(combine));
  }

  /** A single operation in parts if it is large and images can be taken apart, else as it is. */
  static Step single(Expr e, List<Object> reads, Context context) {
    int parts =
        switch (e.op()) {
          case ConvOp.Convolve c -> parts(e.shape(), Convolution.flops(e, c), PARTS);
          case ConvOp.InputGradient c -> parts(e.shape(), Convolution.flops(e, c), PARTS);
          case ConvOp.KernelGradient c ->
              parts(e.input(0).shape(), Convolution.flops(e, c), SUMMED);
          case PoolOp p -> parts(e.shape().dim(0), Math.min(PARTS, points(e) / POINTS));
          default -> 1;
        };
    if (parts == 1 || e.dtype() != DType.F32) {
      return Kernels.step(e, reads, context);
    }
    Expr part = part(e, parts);
    List<Long> strides = new ArrayList<>();
    for (int i = 0; i < reads.size(); i++) {
      boolean shared = e.input(i).type().equals(part.input(i).type());
      strides.add(shared ? 0 : e.input(i).type().bytes() / parts);
    }
    boolean summed = e.op() instanceof ConvOp.KernelGradient;
    strides.add(summed ? 0 : e.type().bytes() / parts);
    return parts(
        Kernels.step(part, List.copyOf(part.inputs()), context),
        parts,
        context,
        reads,
        List.of(e),
        strides,
        summed ? List.of(sum(0, e.shape().size(), parts, Region.Kind.SUM)) : List.of());
  }

  /** Maximum and position in one pass, in parts if it is large. */
  static Step maxPool(
      Expr positions, PoolOp.PoolArgMax op, Expr values, List<Object> reads, Context context) {
    int parts = parts(positions.shape().dim(0), Math.min(PARTS, points(positions) / POINTS));
    if (parts == 1) {
      return Kernels.maxPool(positions, op, values, reads);
    }
    Expr part = part(positions, parts);
    Expr most = Expr.of(new PoolOp.PoolGather(op.window()), List.of(part.input(0), part));
    return parts(
        Kernels.maxPool(part, op, most, reads),
        parts,
        context,
        reads,
        List.of(values, positions),
        List.of(
            positions.input(0).type().bytes() / parts,
            values.type().bytes() / parts,
            positions.type().bytes() / parts),
        List.of());
  }

  private static long points(Expr e) {
    return Math.max(e.shape().size(), e.input(0).shape().size());
  }

  /** The parts of a convolution of images of this shape. */
  static int parts(Shape images, long flops, int most) {
    return parts(images.dim(0), Math.min(most, flops / FLOPS));
  }

  /** The parts of a convolution by tiles that finds its kernel transformed. */
  static int parts(Tiles t) {
    long blocks = t.tiles() / Tiles.BLOCK; // fewer would read the whole kernel for less
    return parts(t.images(), Math.min(Math.min(PARTS, blocks), t.flops() / FLOPS));
  }

  /** The largest divisor of {@code n} that is at most {@code most}. */
  private static int parts(int n, long most) {
    int parts = (int) Math.max(1, most);
    while (n % parts != 0) {
      parts--;
    }
    return parts;
  }

  /** The same operation on parameters with as many fewer images. */
  private static Expr part(Expr e, int parts) {
    int n = (e.op() instanceof ConvOp.KernelGradient ? e.input(0) : e).shape().dim(0);
    List<Expr> in = new ArrayList<>();
    for (int i = 0; i < e.inputs().size(); i++) {
      Type t = e.input(i).type();
      boolean kernel = i == 1 && (e.op() instanceof ConvOp.Convolve || isInputGradient(e));
      Type p = kernel ? t : t.with(t.shape().with(0, n / parts));
      in.add(Expr.of(new LeafOp.Parameter(i, "part", p), List.of()));
    }
    return Expr.of(
        switch (e.op()) {
          case ConvOp.InputGradient c ->
              new ConvOp.InputGradient(c.window(), c.groups(), c.input().with(0, n / parts));
          case PoolOp.PoolScatter p ->
              new PoolOp.PoolScatter(p.window(), p.input().with(0, n / parts));
          case PoolOp.PoolSumGradient p ->
              new PoolOp.PoolSumGradient(p.window(), p.input().with(0, n / parts));
          default -> e.op();
        },
        in);
  }

  private static boolean isInputGradient(Expr e) {
    return e.op() instanceof ConvOp.InputGradient;
  }

  /** A step in parts. */
  static Step parts(
      Step part,
      int parts,
      Context context,
      List<Object> reads,
      List<Object> writes,
      List<Long> strides,
      List<PartsStep.Sum> sums) {
    return new PartsStep(
        part,
        parts,
        Math.min(parts, context.workers.size()),
        List.copyOf(reads),
        List.copyOf(writes),
        strides.stream().mapToLong(Long::longValue).toArray(),
        List.copyOf(sums));
  }
}
