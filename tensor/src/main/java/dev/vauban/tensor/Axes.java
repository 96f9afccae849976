package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Lists of axis numbers and per-axis amounts. */
final class Axes {
  private Axes() {}

  static List<Integer> of(int... axes) {
    return IntStream.of(axes).boxed().toList();
  }

  static int[] array(List<Integer> axes) {
    return axes.stream().mapToInt(Integer::intValue).toArray();
  }

  /** from, from+1, ..., to-1. */
  static List<Integer> range(int from, int to) {
    return IntStream.range(from, to).boxed().toList();
  }

  /** The axes of 0..rank-1 that are not in {@code axes}, ascending. */
  static List<Integer> others(List<Integer> axes, int rank) {
    return IntStream.range(0, rank).filter(a -> !axes.contains(a)).boxed().toList();
  }

  /**
   * A copy of a record's axes.
   *
   * @throws ShapeException unless they rise from 0 or more
   */
  static List<Integer> rising(String op, List<Integer> axes) {
    for (int i = 0; i < axes.size(); i++) {
      if (axes.get(i) < 0 || (i > 0 && axes.get(i) <= axes.get(i - 1))) {
        throw new ShapeException(op + ": axes rise from 0 or more, not " + axes);
      }
    }
    return List.copyOf(axes);
  }

  /**
   * Checks a record's axis; only the methods of {@link Expr}, which know a shape, count from the
   * end.
   *
   * @throws ShapeException if it is negative
   */
  static void check(String op, int axis) {
    if (axis < 0) {
      throw new ShapeException(op + ": an axis of an operation is 0 or more, not " + axis);
    }
  }

  static List<Integer> prepend(int first, List<Integer> rest) {
    List<Integer> all = new ArrayList<>(rest.size() + 1);
    all.add(first);
    all.addAll(rest);
    return List.copyOf(all);
  }

  /** Every axis plus {@code by}. */
  static List<Integer> shift(List<Integer> axes, int by) {
    return axes.stream().map(a -> a + by).toList();
  }

  static int[] inverse(List<Integer> perm) {
    int[] inverse = new int[perm.size()];
    for (int i = 0; i < inverse.length; i++) {
      inverse[perm.get(i)] = i;
    }
    return inverse;
  }
}
