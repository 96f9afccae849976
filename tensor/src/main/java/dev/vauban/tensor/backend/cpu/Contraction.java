package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.onednn.DataType;
import dev.vauban.natives.onednn.MatmulSpec;
import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.backend.cpu.kernels.Gemm;
import dev.vauban.tensor.backend.cpu.kernels.Transpose;
import dev.vauban.tensor.backend.cpu.kernels.Update;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.util.ArrayList;
import java.util.List;

/**
 * Contractions as batched matrix products [B,M,K] x [B,K,N]. Operands whose axes do not walk as
 * such matrices with one unit stride are transposed into scratch memory first.
 */
final class Contraction {
  /** A matrix operand: strides in elements, and the transposition that makes it so, or null. */
  private record Matrix(long batch, long row, long column, Transpose prepare, long bytes) {}

  private final Expr e;
  private final ContractOp.Contract op;
  private final int batch;
  private final int rows;
  private final int inner;
  private final int columns;
  private final Matrix left;
  private final Matrix right;

  private Contraction(Expr e, ContractOp.Contract op) {
    this.e = e;
    this.op = op;
    Shape l = e.input(0).shape();
    Shape r = e.input(1).shape();
    List<Integer> lf = op.leftFree(l.rank());
    List<Integer> rf = op.rightFree(r.rank());
    this.batch = size(l, op.leftBatch());
    this.rows = size(l, lf);
    this.inner = size(l, op.leftSum());
    this.columns = size(r, rf);
    this.left = matrix(l, op.leftBatch(), lf, op.leftSum());
    this.right = matrix(r, op.rightBatch(), op.rightSum(), rf);
  }

  static Step step(Expr e, ContractOp.Contract op, List<Object> reads, Context context) {
    DType t = e.input(0).dtype();
    if (t == DType.F64) {
      return InterpretedStep.of(e, reads);
    }
    if (t == DType.BF16 && (context.oneDnn.isEmpty() || !context.bf16.primitive())) {
      return WidenedStep.of(e, reads, wide -> step(wide, op, reads, context));
    }
    Contraction c = new Contraction(e, op);
    if (context.oneDnn.isPresent()) {
      try {
        return c.natively(reads, context.oneDnn.get(), context);
      } catch (NativeException none) {
        System.getLogger(Contraction.class.getName())
            .log(System.Logger.Level.DEBUG, "no native kernel for " + Kernels.label(e), none);
      }
    }
    return t == DType.F32
        ? c.java(reads)
        : WidenedStep.of(e, reads, wide -> step(wide, op, reads, context));
  }

  private Step natively(List<Object> reads, OneDnn dnn, Context context) {
    DataType t = e.input(0).dtype() == DType.F32 ? DataType.F32 : DataType.BF16;
    MatmulSpec spec =
        new MatmulSpec(
            batch,
            rows,
            inner,
            columns,
            new MatmulSpec.Layout(t, left.batch, left.row, left.column),
            new MatmulSpec.Layout(t, right.batch, right.row, right.column),
            MatmulSpec.Layout.rowMajor(DataType.F32, rows, columns));
    return prepared(Native.step(e, reads, context, () -> dnn.matmul(spec)));
  }

  private Step java(List<Object> reads) {
    Gemm k =
        new Gemm(
            batch,
            rows,
            columns,
            inner,
            operand(left, rows, inner),
            operand(right, inner, columns),
            new Gemm.Operand(Gemm.Form.PLAIN, columns, (long) rows * columns),
            Update.SET);
    return prepared(
        new KernelStep(
            "java " + Kernels.label(e),
            reads,
            List.of(e),
            k.scratchBytes(),
            (long) k.flops(),
            (f, s, m) -> a -> k.run(a[s[0]], a[s[1]], a[s[2]], m)));
  }

  private static Gemm.Operand operand(Matrix m, int rows, int columns) {
    return m.column == 1 && m.row >= columns
        ? new Gemm.Operand(Gemm.Form.PLAIN, m.row, m.batch)
        : new Gemm.Operand(Gemm.Form.TRANSPOSED, m.column, m.batch);
  }

  /** Adds the transpositions in front of the product, if any. */
  private Step prepared(Step product) {
    if (left.prepare == null && right.prepare == null) {
      return product;
    }
    long leftBytes = left.prepare == null ? 0 : MemoryPlanner.align(left.bytes);
    long rightBytes = right.prepare == null ? 0 : MemoryPlanner.align(right.bytes);
    return new KernelStep(
        "transposed " + product.label(),
        product.reads(),
        product.writes(),
        leftBytes + rightBytes + product.scratchBytes(),
        product.flops(),
        (frame, s, m) -> {
          long[] own = new long[3];
          Step.Call call =
              product.instantiate(frame, new int[] {0, 1, 2}, m + leftBytes + rightBytes);
          return new Prepared(this, call, s, m, m + leftBytes, own);
        });
  }

  private record Prepared(
      Contraction c, Step.Call product, int[] slots, long leftAt, long rightAt, long[] own)
      implements Step.Call {
    @Override
    public void run(long[] a) {
      own[0] = a[slots[0]];
      own[1] = a[slots[1]];
      own[2] = a[slots[2]];
      if (c.left.prepare != null) {
        c.left.prepare.run(own[0], leftAt, 0);
        own[0] = leftAt;
      }
      if (c.right.prepare != null) {
        c.right.prepare.run(own[1], rightAt, 0);
        own[1] = rightAt;
      }
      product.run(own);
    }

    @Override
    public void close() {
      product.close();
    }
  }

  private static int size(Shape s, List<Integer> axes) {
    int n = 1;
    for (int a : axes) {
      n *= s.dim(a);
    }
    return n;
  }

  private Matrix matrix(
      Shape s, List<Integer> batchAxes, List<Integer> rowAxes, List<Integer> columnAxes) {
    long b = stride(s, batchAxes);
    long r = stride(s, rowAxes);
    long c = stride(s, columnAxes);
    int rowCount = size(s, rowAxes);
    int columnCount = size(s, columnAxes);
    if (rowCount == 1 && r >= 0) {
      r = c == 1 || c < 0 ? Math.max(columnCount, 1) : 1; // one row: any stride will do
    }
    if (columnCount == 1 && c >= 0) {
      c = r == 1 && rowCount > 1 ? Math.max(rowCount, 1) : 1;
      r = rowCount == 1 ? 1 : r;
    }
    if (size(s, batchAxes) == 1) {
      b = (long) rowCount * columnCount;
    }
    boolean walks = b >= 0 && r >= 0 && c >= 0;
    boolean plain = walks && c == 1 && r >= columnCount;
    boolean transposed = walks && r == 1 && c >= rowCount;
    if (plain || transposed) {
      return new Matrix(b, r, c, null, 0);
    }
    DType type = e.input(0).dtype();
    List<Integer> perm = new ArrayList<>(batchAxes);
    perm.addAll(rowAxes);
    perm.addAll(columnAxes);
    Transpose t =
        new Transpose(type.bytes(), s.dims(), perm.stream().mapToInt(Integer::intValue).toArray());
    return new Matrix((long) rowCount * columnCount, columnCount, 1, t, s.size() * type.bytes());
  }

  /** The stride with which axes walk as one, or -1 if they do not. */
  private static long stride(Shape s, List<Integer> axes) {
    long[] strides = s.strides();
    long inner = -1;
    long span = 0;
    for (int i = axes.size() - 1; i >= 0; i--) {
      int a = axes.get(i);
      if (s.dim(a) == 1) {
        continue;
      }
      if (inner < 0) {
        inner = strides[a];
        span = inner * s.dim(a);
      } else if (strides[a] == span) {
        span *= s.dim(a);
      } else {
        return -1;
      }
    }
    return Math.max(inner, 0);
  }
}
