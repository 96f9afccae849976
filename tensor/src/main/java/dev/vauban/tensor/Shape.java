package dev.vauban.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The dimensions of an array, outermost first. Immutable; a scalar has rank 0. */
public final class Shape {
  /** The shape of a scalar. */
  public static final Shape SCALAR = new Shape(new int[0]);

  private final int[] dims;
  private final long size;

  private Shape(int[] dims) {
    this.dims = dims;
    long n = 1;
    for (int d : dims) {
      if (d < 0) {
        throw new ShapeException("negative dimension in " + Arrays.toString(dims));
      }
      n = Math.multiplyExact(n, (long) d);
    }
    this.size = n;
  }

  /** The shape with these dimensions, each at least 0. */
  public static Shape of(int... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** Dimension {@code axis}; a negative axis counts from the end. */
  public int dim(int axis) {
    return dims[axis(axis)];
  }

  /** A copy of the dimensions. */
  public int[] dims() {
    return dims.clone();
  }

  /** Number of elements: the product of the dimensions. */
  public long size() {
    return size;
  }

  /**
   * {@code axis} as an index in 0..rank-1; negative values count from the end.
   *
   * @throws ShapeException if it is out of range
   */
  public int axis(int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) {
      throw new ShapeException("axis " + axis + " is out of range for shape " + this);
    }
    return a;
  }

  /** Row-major strides in elements. */
  public long[] strides() {
    long[] strides = new long[dims.length];
    long s = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      strides[i] = s;
      s *= dims[i];
    }
    return strides;
  }

  /** This shape with {@code dim} inserted in front. */
  public Shape prepend(int dim) {
    return insert(0, dim);
  }

  /** This shape with a dimension of size {@code dim} inserted before position {@code axis}. */
  public Shape insert(int axis, int dim) {
    int[] d = new int[dims.length + 1];
    System.arraycopy(dims, 0, d, 0, axis);
    d[axis] = dim;
    System.arraycopy(dims, axis, d, axis + 1, dims.length - axis);
    return new Shape(d);
  }

  /** This shape without the given axes. */
  public Shape without(int... axes) {
    boolean[] drop = new boolean[dims.length];
    for (int a : axes) {
      drop[axis(a)] = true;
    }
    int[] d = new int[dims.length];
    int n = 0;
    for (int i = 0; i < dims.length; i++) {
      if (!drop[i]) {
        d[n++] = dims[i];
      }
    }
    return new Shape(Arrays.copyOf(d, n));
  }

  /** This shape with dimension {@code axis} replaced by {@code dim}. */
  public Shape with(int axis, int dim) {
    int[] d = dims.clone();
    d[axis(axis)] = dim;
    return new Shape(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [64,784]}. */
  @Override
  public String toString() {
    return Arrays.stream(dims)
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(",", "[", "]"));
  }
}
