package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Contractions as matrix products, and as the library's where it takes them as they lie. */
final class Contractions {
  /** cuBLASLt refuses larger batches of some shapes. */
  private static final int MOST_BATCH = 65_535;

  private Contractions() {}

  /** The product that a contraction is. */
  static Product product(Expr e, ContractOp.Contract c) {
    Shape l = e.input(0).shape();
    Shape r = e.input(1).shape();
    List<Integer> lf = c.leftFree(l.rank());
    List<Integer> rf = c.rightFree(r.rank());
    List<Integer> batch = dims(l, c.leftBatch());
    DType type = e.input(0).dtype();
    long m = size(l, lf);
    long n = size(r, rf);
    return new Product(
        batch,
        m,
        n,
        size(l, c.leftSum()),
        new Product.Strided(
            type,
            strides(l, c.leftBatch()),
            dims(l, lf),
            strides(l, lf),
            dims(l, c.leftSum()),
            strides(l, c.leftSum())),
        new Product.Strided(
            type,
            strides(r, c.rightBatch()),
            dims(r, c.rightSum()),
            strides(r, c.rightSum()),
            dims(r, rf),
            strides(r, rf)),
        result(e, batch, m, n));
  }

  /** The result lies as batch, rows, columns. */
  private static Product.Strided result(Expr e, List<Integer> batch, long m, long n) {
    List<Long> strides = new ArrayList<>();
    long s = m * n;
    for (int d = batch.size() - 1; d >= 0; d--) {
      strides.addFirst(s);
      s *= batch.get(d);
    }
    return new Product.Strided(
        e.dtype(),
        strides,
        List.of(Math.toIntExact(m)),
        List.of(n),
        List.of(Math.toIntExact(n)),
        List.of(1L));
  }

  private static List<Integer> dims(Shape s, List<Integer> axes) {
    return axes.stream().map(s::dim).toList();
  }

  private static List<Long> strides(Shape s, List<Integer> axes) {
    long[] all = s.strides();
    return axes.stream().map(a -> all[a]).toList();
  }

  private static long size(Shape s, List<Integer> axes) {
    return axes.stream().mapToLong(s::dim).reduce(1, Math::multiplyExact);
  }

  /** The library's name for a product, or empty if it must first be copied into order. */
  static Optional<GemmSpec> library(Product p, Products.Unit unit) {
    GemmSpec.Type type =
        switch (unit) {
          case BF16 -> GemmSpec.Type.BF16;
          case TF32 -> GemmSpec.Type.TF32;
          case THREADS -> p.a().type() == DType.F32 ? GemmSpec.Type.F32 : null;
        };
    boolean large = p.size() > MOST_BATCH || Math.max(p.m(), Math.max(p.n(), p.k())) >= 1L << 31;
    if (type == null || large) {
      return Optional.empty();
    }
    Optional<GemmSpec.Matrices> a = matrices(p, (Product.Strided) p.a());
    Optional<GemmSpec.Matrices> b = matrices(p, (Product.Strided) p.b());
    Optional<GemmSpec.Matrices> c = matrices(p, (Product.Strided) p.c());
    if (a.isEmpty() || b.isEmpty() || c.isEmpty()) {
      return Optional.empty();
    }
    boolean byRows = c.get().order() == GemmSpec.Order.ROWS;
    if (!byRows || p.size() > 1 && c.get().batchStride() == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new GemmSpec(
            type,
            (int) p.size(),
            (int) p.m(),
            (int) p.n(),
            (int) p.k(),
            a.get(),
            b.get(),
            c.get()));
  }

  private static Optional<GemmSpec.Matrices> matrices(Product p, Product.Strided m) {
    Optional<Long> batch = merged(p.batch(), m.batchStrides());
    Optional<Long> rows = merged(m.rows(), m.rowStrides());
    Optional<Long> columns = merged(m.columns(), m.columnStrides());
    if (batch.isEmpty() || rows.isEmpty() || columns.isEmpty()) {
      return Optional.empty();
    }
    long width = size(m.columns());
    long height = size(m.rows());
    if (columns.get() == 1 || width == 1) {
      long leading = height == 1 ? width : rows.get();
      return leading < width
          ? Optional.empty()
          : Optional.of(new GemmSpec.Matrices(GemmSpec.Order.ROWS, leading, batch.get()));
    }
    if (rows.get() == 1 || height == 1) {
      long leading = columns.get();
      return leading < height
          ? Optional.empty()
          : Optional.of(new GemmSpec.Matrices(GemmSpec.Order.COLUMNS, leading, batch.get()));
    }
    return Optional.empty();
  }

  private static long size(List<Integer> dims) {
    return dims.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /** The one stride with which several dimensions can be walked; 0 for none. */
  private static Optional<Long> merged(List<Integer> dims, List<Long> strides) {
    long stride = 0;
    long next = -1;
    for (int d = dims.size() - 1; d >= 0; d--) {
      if (dims.get(d) == 1) {
        continue;
      }
      if (next < 0) {
        stride = strides.get(d);
      } else if (strides.get(d) != next) {
        return Optional.empty();
      }
      next = strides.get(d) * dims.get(d);
    }
    return Optional.of(stride);
  }
}
