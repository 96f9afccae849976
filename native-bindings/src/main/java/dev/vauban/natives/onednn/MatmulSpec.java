package dev.vauban.natives.onednn;

/**
 * A batch of matrix products {@code c[b] = a[b] * b[b]} on operands with any strides.
 *
 * <p>Shape: a {@code [B,M,K]}, b {@code [B,K,N]}, c {@code [B,M,N]}. A transposed operand is one
 * whose row and column strides are exchanged; a batch stride of 0 uses the same a or b throughout.
 * Operands whose rows or columns have stride 1 run on the fast kernels; one without either runs on
 * oneDNN's slow reference code ({@link Primitive#implementation} says {@code ref}).
 *
 * @param batch B
 * @param rows M, rows of a and c
 * @param inner K, columns of a and rows of b
 * @param columns N, columns of b and c
 * @param a layout of the left operand
 * @param b layout of the right operand
 * @param c layout of the result
 */
public record MatmulSpec(
    int batch, int rows, int inner, int columns, Layout a, Layout b, Layout c) {

  /**
   * Where the elements of one operand lie: {@code [i,row,column]} is at {@code i*batchStride +
   * row*rowStride + column*columnStride}, in elements.
   *
   * @param type element type
   * @param batchStride elements from one matrix to the next; 0 repeats one matrix
   * @param rowStride elements from one row to the next
   * @param columnStride elements from one column to the next
   */
  public record Layout(DataType type, long batchStride, long rowStride, long columnStride) {
    /** Dense rows. */
    public static Layout rowMajor(DataType type, int rows, int columns) {
      return new Layout(type, (long) rows * columns, columns, 1);
    }

    /** Dense columns: what a dense transposed matrix looks like. */
    public static Layout columnMajor(DataType type, int rows, int columns) {
      return new Layout(type, (long) rows * columns, 1, rows);
    }

    /** The same matrix for every element of the batch. */
    public Layout shared() {
      return new Layout(type, 0, rowStride, columnStride);
    }

    private Layout transposed() {
      return new Layout(type, batchStride, columnStride, rowStride);
    }

    @Override
    public String toString() {
      return type + " strides " + batchStride + "," + rowStride + "," + columnStride;
    }
  }

  /**
   * Checks the sizes and strides.
   *
   * @throws IllegalArgumentException if a size is below 1, a stride below 0, elements of c overlap
   *     because a stride is 0, or an operand spans more than 2^44 elements
   */
  public MatmulSpec {
    positive("batch", batch);
    positive("rows", rows);
    positive("inner", inner);
    positive("columns", columns);
    strides("a", a, rows, inner);
    strides("b", b, inner, columns);
    strides("c", c, rows, columns);
    extent("a", a, batch, rows, inner);
    extent("b", b, batch, inner, columns);
    extent("c", c, batch, rows, columns);
    if (batch > 1 && c.batchStride() == 0) {
      throw new IllegalArgumentException("matmul: c has batch stride 0, so its matrices overlap");
    }
  }

  /** A product of dense row-major operands, all of {@code type}. */
  public static MatmulSpec rowMajor(int batch, int rows, int inner, int columns, DataType type) {
    return new MatmulSpec(
        batch,
        rows,
        inner,
        columns,
        Layout.rowMajor(type, rows, inner),
        Layout.rowMajor(type, inner, columns),
        Layout.rowMajor(type, rows, columns));
  }

  /** The same with this left operand. */
  public MatmulSpec a(Layout layout) {
    return new MatmulSpec(batch, rows, inner, columns, layout, b, c);
  }

  /** The same with this right operand. */
  public MatmulSpec b(Layout layout) {
    return new MatmulSpec(batch, rows, inner, columns, a, layout, c);
  }

  /** The same with this result. */
  public MatmulSpec c(Layout layout) {
    return new MatmulSpec(batch, rows, inner, columns, a, b, layout);
  }

  /** The same sums in the same memory, as the product of the transposed matrices. */
  MatmulSpec transposed() {
    return new MatmulSpec(
        batch, columns, inner, rows, b.transposed(), a.transposed(), c.transposed());
  }

  /** Multiplications and additions. */
  public long flops() {
    return 2L * batch * rows * inner * columns;
  }

  @Override
  public String toString() {
    return "[" + batch + "," + rows + "," + inner + "] (" + a + ") * [" + batch + "," + inner + ","
        + columns + "] (" + b + ") -> (" + c + ")";
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          "matmul: " + name + " is " + value + ", and must be at least 1");
    }
  }

  /** oneDNN computes sizes in 64 bits without looking for overflow. */
  private static void extent(String name, Layout l, int batch, int rows, int columns) {
    double last =
        (double) batch * l.batchStride()
            + (double) rows * l.rowStride()
            + (double) columns * l.columnStride();
    if (last > 0x1p44) {
      throw new IllegalArgumentException(
          "matmul: " + name + " spans " + (long) last + " elements, and 2^44 is the limit");
    }
  }

  private static void strides(String name, Layout layout, int rows, int columns) {
    boolean negative =
        layout.batchStride() < 0 || layout.rowStride() < 0 || layout.columnStride() < 0;
    boolean repeated =
        (rows > 1 && layout.rowStride() == 0) || (columns > 1 && layout.columnStride() == 0);
    if (negative || repeated) {
      throw new IllegalArgumentException(
          "matmul: "
              + name
              + " has "
              + layout
              + "; rows and columns need positive strides, batches 0 or more");
    }
  }
}
