package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;

/** Steps shared by the operations' batching rules. */
final class Batching {
  private Batching() {}

  /** Gives every input the batch dimension, repeating those that are not mapped. */
  static List<Expr> all(List<Expr> inputs, boolean[] mapped, int n) {
    List<Expr> out = new ArrayList<>(inputs.size());
    for (int i = 0; i < mapped.length; i++) {
      out.add(mapped[i] ? inputs.get(i) : repeat(inputs.get(i), n));
    }
    return out;
  }

  /** {@code x} repeated along a new first dimension. */
  static Expr repeat(Expr x, int n) {
    int[] axes = new int[x.shape().rank()];
    for (int i = 0; i < axes.length; i++) {
      axes[i] = i + 1;
    }
    return x.broadcast(x.shape().prepend(n), axes);
  }

  /** [n, a, ...] to [n*a, ...]. */
  static Expr mergeFirst(Expr x) {
    int[] d = x.shape().dims();
    int[] m = new int[d.length - 1];
    m[0] = d[0] * d[1];
    System.arraycopy(d, 2, m, 1, d.length - 2);
    return x.reshape(m);
  }

  /** [n*a, ...] to [n, a, ...]. */
  static Expr splitFirst(Expr x, int n) {
    int[] d = x.shape().dims();
    int[] s = new int[d.length + 1];
    s[0] = n;
    s[1] = d[0] / n;
    System.arraycopy(d, 1, s, 2, d.length - 1);
    return x.reshape(s);
  }

  /** Moves dimension {@code from} to position {@code to}; the others keep their order. */
  static Expr move(Expr x, int from, int to) {
    List<Integer> perm = new ArrayList<>();
    for (int i = 0; i < x.shape().rank(); i++) {
      if (i != from) {
        perm.add(i);
      }
    }
    perm.add(to, from);
    return x.transpose(perm.stream().mapToInt(Integer::intValue).toArray());
  }

  /** [n, d0.., di, ..] to [d0, .., n*di, ..]: the batch becomes the outer part of axis i. */
  static Expr mergeInto(Expr x, int axis) {
    Expr m = move(x, 0, axis);
    int[] d = m.shape().dims();
    int[] s = new int[d.length - 1];
    System.arraycopy(d, 0, s, 0, axis);
    s[axis] = d[axis] * d[axis + 1];
    System.arraycopy(d, axis + 2, s, axis + 1, d.length - axis - 2);
    return m.reshape(s);
  }

  /** The inverse of {@link #mergeInto}. */
  static Expr splitFrom(Expr x, int axis, int n) {
    int[] d = x.shape().dims();
    int[] s = new int[d.length + 1];
    System.arraycopy(d, 0, s, 0, axis);
    s[axis] = n;
    s[axis + 1] = d[axis] / n;
    System.arraycopy(d, axis + 1, s, axis + 2, d.length - axis - 1);
    return move(x.reshape(s), axis, 0);
  }
}
