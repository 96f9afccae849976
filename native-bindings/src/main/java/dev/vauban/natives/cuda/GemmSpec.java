package dev.vauban.natives.cuda;

/**
 * A batch of matrix products {@code c[i] = a[i] * b[i]}, with a [m,k], b [k,n] and c [m,n].
 *
 * @param type of the operands and of the arithmetic
 * @param batch how many, 1 or more
 * @param m rows of c, 1 or more
 * @param n columns of c, 1 or more
 * @param k columns of a, 1 or more
 * @param a how a lies in memory
 * @param b how b lies in memory
 * @param c how c lies in memory; not transposed
 */
public record GemmSpec(
    Type type, int batch, int m, int n, int k, Matrices a, Matrices b, Matrices c) {
  /** Types and arithmetic. */
  public enum Type {
    /** f32, computed in f32. */
    F32,
    /**
     * f32 in memory; factors rounded to 10 bits of mantissa, summed in f32. A choice to be made.
     */
    TF32,
    /** a and b are bf16, c is f32, summed in f32. */
    BF16,
    /** a, b and c are bf16, summed in f32. */
    BF16_TO_BF16
  }

  /** Which way a matrix lies in memory. */
  public enum Order {
    /** Row after row. */
    ROWS,
    /** Column after column: the matrix's transpose lies row after row. */
    COLUMNS
  }

  /**
   * Where the elements of a batch's matrices are.
   *
   * @param order which way they lie
   * @param leading elements from one row (of {@code ROWS}; else column) to the next
   * @param batchStride elements from one matrix to the next; 0: all are the same one
   */
  public record Matrices(Order order, long leading, long batchStride) {
    /** Densely packed matrices of so many rows and columns, row after row. */
    public static Matrices rows(long rows, long columns) {
      return new Matrices(Order.ROWS, columns, rows * columns);
    }

    /** Densely packed matrices of so many rows and columns, column after column. */
    public static Matrices columns(long rows, long columns) {
      return new Matrices(Order.COLUMNS, rows, rows * columns);
    }

    /** One such matrix for the whole batch. */
    public Matrices shared() {
      return new Matrices(order, leading, 0);
    }
  }

  /** Checked. */
  public GemmSpec {
    if (batch < 1 || m < 1 || n < 1 || k < 1) {
      throw new IllegalArgumentException(
          "a product of %d times [%d,%d] by [%d,%d]: every size is 1 or more"
              .formatted(batch, m, k, k, n));
    }
  }

  /** Densely packed operands, row after row. */
  public static GemmSpec of(Type type, int batch, int m, int n, int k) {
    return new GemmSpec(
        type, batch, m, n, k, Matrices.rows(m, k), Matrices.rows(k, n), Matrices.rows(m, n));
  }
}
