package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A batch of matrix products c[m, n] = sum over k of a[m, k] b[k, n], whose matrices are given by
 * where their elements lie: strided arrays, or images seen through the windows of a convolution.
 *
 * @param batch dimensions of the batch, outermost first
 * @param m rows
 * @param n columns
 * @param k terms
 * @param a the left factor, [m, k]
 * @param b the right factor, [k, n]
 * @param c the result, [m, n]; every element of its memory is an element of the batch's results
 */
record Product(List<Integer> batch, long m, long n, long k, Matrix a, Matrix b, Matrix c) {
  /** Where the elements of a matrix are. */
  interface Matrix {
    /** The type of its elements in memory. */
    DType type();

    /** Elements from one matrix to the next along each dimension of the batch. */
    List<Long> batchStrides();

    /** True if neighbours in a row lie together; else those in a column. */
    boolean rowsLie();

    /**
     * Whether four neighbours, the first a multiple of four, are one aligned piece of memory, or
     * none of them is an element.
     */
    boolean inFours();

    /**
     * Writes code that finds an element's position.
     *
     * @param row name of the row
     * @param column name of the column
     * @return the position, and the condition under which there is an element, else it is 0
     */
    Place place(Source s, String row, String column, Positions at);
  }

  /**
   * Where an element is.
   *
   * @param offset an expression
   * @param exists a condition; null if it always is
   */
  record Place(String offset, String exists) {}

  /**
   * A strided array as a matrix.
   *
   * @param rows dimensions that make up the rows, outermost first
   * @param rowStrides their strides
   * @param columns dimensions that make up the columns
   * @param columnStrides their strides
   */
  record Strided(
      DType type,
      List<Long> batchStrides,
      List<Integer> rows,
      List<Long> rowStrides,
      List<Integer> columns,
      List<Long> columnStrides)
      implements Matrix {
    @Override
    public boolean rowsLie() {
      return innermost(columns, columnStrides) <= innermost(rows, rowStrides);
    }

    @Override
    public boolean inFours() {
      boolean across = rowsLie();
      List<Integer> dims = across ? columns : rows;
      List<Long> walk = new ArrayList<>(across ? columnStrides : rowStrides);
      int last = dims.size() - 1;
      while (last > 0 && dims.get(last) == 1) {
        last--;
      }
      if (last < 0 || walk.get(last) != 1 || dims.get(last) % 4 != 0) {
        return false;
      }
      walk.set(last, 0L);
      return Stream.of(walk, across ? rowStrides : columnStrides, batchStrides)
          .flatMap(List::stream)
          .allMatch(stride -> stride % 4 == 0);
    }

    private static long innermost(List<Integer> dims, List<Long> strides) {
      for (int d = dims.size() - 1; d >= 0; d--) {
        if (dims.get(d) > 1) {
          return strides.get(d);
        }
      }
      return Long.MAX_VALUE;
    }

    @Override
    public Place place(Source s, String row, String column, Positions at) {
      String r = offset(s, row, rows, rowStrides, "r", at);
      String c = offset(s, column, columns, columnStrides, "c", at);
      return new Place(r + " + " + c, null);
    }

    /** Dimensions that one stride walks are one: fewer divisions. */
    private static String offset(
        Source s,
        String from,
        List<Integer> dims,
        List<Long> strides,
        String prefix,
        Positions at) {
      List<Integer> merged = new ArrayList<>();
      List<Long> walk = new ArrayList<>();
      for (int d = dims.size() - 1; d >= 0; d--) {
        if (dims.get(d) == 1) {
          continue;
        }
        long whole = merged.isEmpty() ? 0 : walk.getFirst() * merged.getFirst();
        boolean joins =
            !merged.isEmpty()
                && strides.get(d) == whole
                && (long) dims.get(d) * merged.getFirst() <= Integer.MAX_VALUE;
        if (joins) {
          merged.set(0, dims.get(d) * merged.getFirst());
        } else {
          merged.addFirst(dims.get(d));
          walk.addFirst(strides.get(d));
        }
      }
      return Source.offset(s.indices(from, merged, prefix, at), walk, at);
    }
  }

  /** How many products. */
  long size() {
    return batch.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /** Floating-point operations: a multiplication and an addition for each term. */
  long flops() {
    return 2 * size() * m * n * k;
  }
}
