package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.RandomOp;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cpu.kernels.ArgReduce;
import dev.vauban.tensor.backend.cpu.kernels.ArgSort;
import dev.vauban.tensor.backend.cpu.kernels.Concat;
import dev.vauban.tensor.backend.cpu.kernels.Copy;
import dev.vauban.tensor.backend.cpu.kernels.Element;
import dev.vauban.tensor.backend.cpu.kernels.Gather;
import dev.vauban.tensor.backend.cpu.kernels.KeyFold;
import dev.vauban.tensor.backend.cpu.kernels.MaxPool;
import dev.vauban.tensor.backend.cpu.kernels.Pad;
import dev.vauban.tensor.backend.cpu.kernels.PoolArgMax;
import dev.vauban.tensor.backend.cpu.kernels.PoolGather;
import dev.vauban.tensor.backend.cpu.kernels.PoolScatter;
import dev.vauban.tensor.backend.cpu.kernels.PoolShape;
import dev.vauban.tensor.backend.cpu.kernels.PoolSum;
import dev.vauban.tensor.backend.cpu.kernels.PoolSumGradient;
import dev.vauban.tensor.backend.cpu.kernels.ScatterAdd;
import dev.vauban.tensor.backend.cpu.kernels.Slice;
import dev.vauban.tensor.backend.cpu.kernels.Threefry;
import dev.vauban.tensor.backend.cpu.kernels.Transpose;
import dev.vauban.tensor.backend.cpu.kernels.Update;
import dev.vauban.tensor.backend.cpu.kernels.WindowShape;
import dev.vauban.tensor.backend.fusion.Fusion;
import java.util.List;

/**
 * The kernel of each operation that is not part of a nest. Types and sizes without a fast kernel
 * run through the reference interpreter's loops on the same memory.
 */
final class Kernels {
  private Kernels() {}

  /** The step of one operation. */
  static Step step(Expr e, List<Object> reads, Context context) {
    boolean empty =
        e.shape().size() == 0 || e.inputs().stream().anyMatch(i -> i.shape().size() == 0);
    if (empty) {
      return InterpretedStep.of(e, reads);
    }
    return switch (e.op()) {
      case ContractOp.Contract c -> Contraction.step(e, c, reads, context);
      case ConvOp c -> Convolution.step(e, c, reads, context);
      case PoolOp p -> pool(e, p, reads);
      case ShapeOp.Transpose t -> {
        Transpose k = new Transpose(e.dtype().bytes(), e.input(0).shape().dims(), array(t.perm()));
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case ShapeOp.Slice t -> {
        Slice k =
            new Slice(
                e.dtype().bytes(),
                e.input(0).shape().dims(),
                array(t.starts()),
                array(t.stops()),
                array(t.strides()));
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case ShapeOp.Pad t -> {
        Pad k =
            new Pad(
                e.dtype().bytes(),
                e.input(0).shape().dims(),
                array(t.low()),
                array(t.high()),
                array(t.interior()),
                0);
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case ShapeOp.Concat c -> concat(e, c, reads);
      case IndexOp.Gather g -> {
        Shape x = e.input(0).shape();
        Gather k =
            new Gather(
                e.dtype().bytes(),
                size(x, 0, g.axis()),
                x.dim(g.axis()),
                size(x, g.axis() + 1, x.rank()),
                (int) e.input(1).shape().size());
        yield step(
            e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case IndexOp.ScatterAdd g -> {
        if (e.dtype() != DType.F32) {
          yield InterpretedStep.of(e, reads);
        }
        Shape y = e.shape();
        ScatterAdd k =
            new ScatterAdd(
                size(y, 0, g.axis()),
                y.dim(g.axis()),
                size(y, g.axis() + 1, y.rank()),
                (int) e.input(1).shape().size(),
                Update.SET);
        yield step(
            e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case ReduceOp.Variance v -> throw new IllegalStateException("expanded before");
      case ReduceOp.ArgReduce r -> argReduce(e, r, reads);
      case ReduceOp.ArgSort r -> argSort(e, r, reads);
      case RandomOp.Random r -> {
        int keys = (int) e.input(0).shape().size() / 2;
        Threefry k =
            new Threefry(
                Threefry.Distribution.valueOf(r.distribution().name()), keys, r.shape().size());
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case RandomOp.Fold r -> {
        KeyFold k = new KeyFold((int) e.input(1).shape().size());
        yield step(
            e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case ShapeOp.Broadcast b -> InterpretedStep.of(e, reads);
      case ControlOp.StopGradient s -> copy(Fusion.memory(e.input(0)), e, e.type().bytes());
      case LeafOp op -> InterpretedStep.of(e, reads); // an empty constant
      case ElementOp op -> InterpretedStep.of(e, reads); // an empty array
      case ReduceOp.Reduce r -> InterpretedStep.of(e, reads); // of an empty array
      case ShapeOp.Reshape r -> throw new IllegalStateException("another name of its input");
      case ControlOp.Map m -> throw new IllegalStateException("lowered as a program");
      case ControlOp.Loop l -> throw new IllegalStateException("lowered as a program");
      case ControlOp.Project p -> throw new IllegalStateException("a result of a program");
      case ControlOp.Tuple t -> throw new IllegalStateException("simplified away");
    };
  }

  /** A copy of {@code bytes} bytes. */
  static Step copy(Object from, Object to, long bytes) {
    Copy k = new Copy(bytes);
    return new KernelStep(
        "copy " + bytes + " bytes",
        List.of(from),
        List.of(to),
        k.scratchBytes(),
        0,
        (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
  }

  static Step step(Expr e, List<Object> reads, long scratch, KernelStep.Maker maker) {
    return new KernelStep(label(e), reads, List.of(e), scratch, 0, maker);
  }

  /** Operation and types: {@code convolve f32[25,28,28,64] f32[3,3,64,64] -> f32[25,28,28,64]}. */
  static String label(Expr e) {
    StringBuilder s = new StringBuilder(e.op().label());
    e.inputs().forEach(i -> s.append(' ').append(i.type()));
    return s.append(" -> ").append(e.type()).toString();
  }

  private static Step argReduce(Expr e, ReduceOp.ArgReduce r, List<Object> reads) {
    Shape x = e.input(0).shape();
    if (!isOrdered(e.input(0).dtype())) {
      return InterpretedStep.of(e, reads);
    }
    ArgReduce k =
        new ArgReduce(
            ArgReduce.Kind.valueOf(r.kind().name()),
            Element.valueOf(e.input(0).dtype().name()),
            size(x, 0, r.axis()),
            x.dim(r.axis()),
            size(x, r.axis() + 1, x.rank()));
    return step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
  }

  private static Step argSort(Expr e, ReduceOp.ArgSort r, List<Object> reads) {
    Shape x = e.input(0).shape();
    if (!isOrdered(e.input(0).dtype())) {
      return InterpretedStep.of(e, reads);
    }
    ArgSort k =
        new ArgSort(
            Element.valueOf(e.input(0).dtype().name()),
            size(x, 0, r.axis()),
            x.dim(r.axis()),
            size(x, r.axis() + 1, x.rank()),
            ArgSort.Order.valueOf(r.order().name()),
            r.k());
    return step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
  }

  private static boolean isOrdered(DType t) {
    return t == DType.F32 || t == DType.I32 || t == DType.U8;
  }

  /** Maximum and position in one pass, where both are wanted. */
  static Step maxPool(Expr positions, PoolOp.PoolArgMax op, Expr values, List<Object> reads) {
    MaxPool k = new MaxPool(shape(op.window(), positions.input(0).shape()));
    return new KernelStep(
        "maxPool " + positions.input(0).type() + " -> " + values.type(),
        reads,
        List.of(values, positions),
        k.scratchBytes(),
        0,
        (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
  }

  private static Step concat(Expr e, ShapeOp.Concat c, List<Object> reads) {
    int n = e.inputs().size();
    int[] sizes = e.inputs().stream().mapToInt(i -> i.shape().dim(c.axis())).toArray();
    Shape y = e.shape();
    Concat k =
        new Concat(e.dtype().bytes(), size(y, 0, c.axis()), sizes, size(y, c.axis() + 1, y.rank()));
    return step(
        e,
        reads,
        k.scratchBytes(),
        (f, s, m) -> {
          long[] sources = new long[n];
          return a -> {
            for (int i = 0; i < n; i++) {
              sources[i] = a[s[i]];
            }
            k.run(sources, a[s[n]], m);
          };
        });
  }

  private static Step pool(Expr e, PoolOp op, List<Object> reads) {
    boolean f32 =
        e.inputs().stream().allMatch(i -> i.dtype() == DType.F32 || i.dtype() == DType.U8)
            && e.input(0).dtype() == DType.F32;
    if (!f32) {
      return InterpretedStep.of(e, reads);
    }
    return switch (op) {
      case PoolOp.PoolArgMax p -> {
        PoolArgMax k = new PoolArgMax(shape(p.window(), e.input(0).shape()));
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case PoolOp.PoolGather p -> {
        PoolGather k = new PoolGather(shape(p.window(), e.input(0).shape()));
        yield step(
            e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case PoolOp.PoolScatter p -> {
        PoolScatter k = new PoolScatter(shape(p.window(), p.input()));
        yield step(
            e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m));
      }
      case PoolOp.PoolSum p -> {
        PoolSum k = new PoolSum(shape(p.window(), e.input(0).shape()));
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
      case PoolOp.PoolSumGradient p -> {
        PoolSumGradient k = new PoolSumGradient(shape(p.window(), p.input()));
        yield step(e, reads, k.scratchBytes(), (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], m));
      }
    };
  }

  private static PoolShape shape(PoolOp.PoolWindow w, Shape image) {
    return new PoolShape(
        image.dim(0), image.dim(1), image.dim(2), image.dim(3), window(w.move(), w.h(), w.w()));
  }

  static WindowShape window(Window v, int h, int w) {
    return new WindowShape(
        h,
        w,
        v.strideH(),
        v.strideW(),
        v.top(),
        v.bottom(),
        v.left(),
        v.right(),
        v.dilationH(),
        v.dilationW());
  }

  private static int size(Shape s, int from, int to) {
    int n = 1;
    for (int i = from; i < to; i++) {
      n *= s.dim(i);
    }
    return n;
  }

  private static int[] array(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }
}
