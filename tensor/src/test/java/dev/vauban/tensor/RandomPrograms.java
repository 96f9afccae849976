package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Random programs: graphs of bounded, smooth operations on small shapes, with gradients to second
 * order, mapped functions, loops and stopped gradients nested in each other. The same seed gives
 * the same program.
 */
public final class RandomPrograms {
  private static final int[] SIZES = {1, 1, 2, 3, 4, 5, 7};

  private final SplittableRandom random;

  private RandomPrograms(long seed) {
    random = new SplittableRandom(seed);
  }

  /** The program of a seed; its inputs are F32 and want values in ±1. */
  public static Program of(long seed) {
    RandomPrograms r = new RandomPrograms(seed);
    Tree<Type> inputs = Tree.empty();
    int n = r.below(1, 4);
    for (int i = 0; i < n; i++) {
      inputs = inputs.with("x" + i, new Type(DType.F32, r.shape()));
    }
    return Program.trace(inputs, in -> r.results(in.leaves()));
  }

  private Tree<Expr> results(List<Expr> inputs) {
    List<Expr> values = grow(inputs, below(4, 22), 0);
    Tree<Expr> out = Tree.empty();
    int n = below(1, 5);
    for (int i = 0; i < n; i++) { // repeated results and results that are inputs are wanted too
      out =
          out.with("y" + i, values.get(random.nextInt(i == 0 ? inputs.size() : 0, values.size())));
    }
    return out.with("last", values.getLast());
  }

  private int below(int from, int to) {
    return random.nextInt(from, to);
  }

  private Shape shape() {
    int[] d = new int[below(0, 4)];
    for (int i = 0; i < d.length; i++) {
      d[i] = SIZES[below(0, SIZES.length)];
    }
    return Shape.of(d);
  }

  /** {@code count} more values, each computed from earlier ones. */
  private List<Expr> grow(List<Expr> from, int count, int depth) {
    List<Expr> values = new ArrayList<>(from);
    for (int i = 0; i < count; i++) {
      values.add(next(values, depth));
    }
    return values;
  }

  private Expr pick(List<Expr> values) {
    // Late values more often, so that chains grow deep.
    int n = values.size();
    return values.get(Math.max(random.nextInt(n), random.nextInt(n)));
  }

  private Expr next(List<Expr> values, int depth) {
    Expr x = pick(values);
    int r = x.shape().rank();
    return switch (below(0, depth < 2 ? 23 : 17)) {
      case 0, 1, 2 -> unary(x);
      case 3, 4, 5, 6 -> binary(x, values);
      case 7 -> x.mul(below(-2, 3) * 0.5).add(below(-1, 2) * 0.25);
      case 8 -> r == 0 ? unary(x) : reduce(x);
      case 9 -> x.reshape(reshaped(x.shape()));
      case 10 -> x.transpose(permutation(r));
      case 11 -> broadcast(x);
      case 12 -> r == 0 ? unary(x) : slice(x);
      case 13 -> r == 0 ? unary(x) : joined(x, values);
      case 14 -> contract(x, pick(values));
      case 15 -> r == 0 ? unary(x) : gather(x);
      case 16 -> below(0, 2) == 0 ? x.stopGradient() : selected(x, values);
      case 17, 18 -> gradient(x, values, depth);
      case 19, 20 -> mapped(x, values, depth);
      default -> repeated(x, values, depth);
    };
  }

  /** Smooth functions with small results. */
  private Expr unary(Expr x) {
    return switch (below(0, 9)) {
      case 0 -> x.tanh();
      case 1 -> x.sigmoid();
      case 2 -> x.neg();
      case 3 -> x.square().add(1).rsqrt();
      case 4 -> x.sin();
      case 5 -> x.square().add(0.5).log();
      case 6 -> x.square().neg().exp();
      case 7 -> x.erf();
      default -> x.square().add(1).reciprocal();
    };
  }

  private Expr binary(Expr x, List<Expr> values) {
    Expr y = fit(pick(values), x.shape());
    return switch (below(0, 7)) {
      case 0 -> x.add(y);
      case 1 -> x.sub(y);
      case 2 -> x.mul(y).tanh();
      case 3 -> x.div(y.square().add(1));
      case 4 -> y.sub(x).square().sigmoid();
      case 5 -> x.mul(y.sigmoid());
      default -> x.add(y.mul(0.3)).mul(0.5);
    };
  }

  private Expr selected(Expr x, List<Expr> values) {
    // The mask compares with a value that no smooth function is likely to give exactly.
    Expr y = fit(pick(values), x.shape());
    return Expr.select(y.lt(0.123456789), x, y);
  }

  /** {@code x} in another shape: summed to a scalar, repeated or unchanged. */
  private Expr fit(Expr x, Shape to) {
    if (x.shape().equals(to)) {
      return x;
    }
    if (x.shape().size() == to.size() && below(0, 2) == 0) {
      return x.reshape(to);
    }
    int r = x.shape().rank();
    for (int a = 0; a < to.rank(); a++) {
      if (r == 1 && x.shape().dim(0) == to.dim(a)) {
        return x.broadcast(to, a);
      }
    }
    return (r == 0 ? x : x.mean()).broadcastTo(to);
  }

  private Expr reduce(Expr x) {
    int[] axes = axes(x.shape().rank());
    if (axes.length == 0) {
      return x;
    }
    return switch (below(0, 4)) {
      case 0 -> x.sum(axes);
      case 1 -> x.mul(x).mean(axes);
      case 2 -> x.sub(x.mean(axes).keep(x.shape(), axes));
      default -> x.variance(axes).add(0.1).rsqrt();
    };
  }

  private int[] axes(int rank) {
    return IntStream.range(0, rank).filter(a -> below(0, 2) == 0).toArray();
  }

  private int[] permutation(int n) {
    int[] p = IntStream.range(0, n).toArray();
    for (int i = n - 1; i > 0; i--) {
      int j = below(0, i + 1);
      int t = p[i];
      p[i] = p[j];
      p[j] = t;
    }
    return p;
  }

  private Shape reshaped(Shape s) {
    int n = (int) s.size();
    return switch (below(0, 4)) {
      case 0 -> Shape.of(n);
      case 1 -> Shape.of(1, n);
      case 2 -> n % 2 == 0 ? Shape.of(2, n / 2) : Shape.of(n, 1);
      default -> s.rank() < 2 ? s.prepend(1) : Shape.of(s.dim(0), n / s.dim(0));
    };
  }

  private Expr broadcast(Expr x) {
    if (x.shape().size() > 60) {
      return unary(x);
    }
    int at = below(0, x.shape().rank() + 1);
    Shape s = x.shape().insert(at, below(1, 5));
    int[] axes = IntStream.range(0, s.rank()).filter(a -> a != at).toArray();
    return x.broadcast(s, axes);
  }

  private Expr slice(Expr x) {
    int a = below(0, x.shape().rank());
    int n = x.shape().dim(a);
    int start = below(0, n);
    int stop = below(start + 1, n + 1);
    Expr y = x.slice(a, start, stop);
    int[] low = new int[x.shape().rank()];
    int[] high = low.clone();
    low[a] = start;
    high[a] = below(0, 2);
    return below(0, 2) == 0 ? y : y.pad(low, high, new int[low.length]);
  }

  private Expr joined(Expr x, List<Expr> values) {
    if (x.shape().size() > 60) {
      return unary(x);
    }
    return Expr.concat(below(0, x.shape().rank()), x, fit(pick(values), x.shape()));
  }

  private Expr contract(Expr x, Expr y) {
    Expr a = x.shape().rank() == 0 ? x.reshape(1) : x;
    Expr b = y.shape().rank() == 0 ? y.reshape(1) : y;
    int m = below(0, a.shape().rank());
    for (int n = 0; n < b.shape().rank(); n++) {
      if (a.shape().dim(m) == b.shape().dim(n)) {
        Expr c =
            below(0, 2) == 0
                ? a.contract(b, new int[0], new int[0], new int[] {m}, new int[] {n})
                : a.contract(b, new int[] {m}, new int[] {n}, new int[0], new int[0]);
        return c.shape().size() > 400 ? c.mean() : c.mul(0.3);
      }
    }
    return unary(a);
  }

  private Expr gather(Expr x) {
    int a = below(0, x.shape().rank());
    double[] at = new double[below(1, 4)];
    for (int i = 0; i < at.length; i++) {
      at[i] = below(0, x.shape().dim(a));
    }
    if (below(0, 3) == 0) {
      int k = below(1, x.shape().dim(a) + 1);
      return x.stopGradient().sorted(a, ReduceOp.Order.ASCENDING, k);
    }
    return x.gather(a, Expr.data(Type.i32(at.length), at));
  }

  /** A function of {@code x} that also reads outer values, to a scalar. */
  private Expr scalar(Expr x, List<Expr> outer, int depth) {
    List<Expr> values = new ArrayList<>(outer);
    values.add(x);
    values = grow(values, below(1, 6), depth + 1);
    Expr y = x.sin().mean();
    for (Expr e : values.subList(Math.max(0, values.size() - 3), values.size())) {
      y = y.add(e.tanh().mean());
    }
    return y;
  }

  private Expr gradient(Expr x, List<Expr> values, int depth) {
    if (below(0, 3) > 0) {
      return Grad.grad(at -> scalar(at, values, depth), x);
    }
    // A second order: the gradient of a function of a gradient.
    return Grad.grad(at -> Grad.grad(p -> scalar(p, values, depth), at).square().sum().tanh(), x);
  }

  private Expr mapped(Expr x, List<Expr> values, int depth) {
    if (x.shape().rank() == 0) {
      return unary(x);
    }
    int n = x.shape().dim(0);
    Tree<Expr> xs = Tree.of("a", x);
    for (Expr e : values) {
      if (e.shape().rank() > 0 && e.shape().dim(0) == n && below(0, 3) == 0) {
        xs = xs.with("b" + xs.size(), e);
      }
    }
    return Vmap.vmapToArray(
        t -> {
          List<Expr> inside = new ArrayList<>(values);
          inside.addAll(t.leaves());
          Expr y = grow(inside, below(1, 6), depth + 1).getLast();
          return y.shape().size() > 100 ? y.mean() : y;
        },
        xs);
  }

  private Expr repeated(Expr x, List<Expr> values, int depth) {
    int steps = below(0, 5);
    List<Expr> outer = values.stream().map(Expr::stopGradient).toList();
    Tree<Expr> state = Tree.of("a", x.stopGradient(), "b", unary(x).stopGradient());
    if (below(0, 2) == 0) {
      state = state.with("c", fit(pick(outer), shape()));
    }
    int kind = below(0, 4);
    Tree<Expr> last =
        Vmap.repeat(
            steps,
            state,
            (number, s) -> {
              List<Expr> inside = new ArrayList<>(outer);
              inside.addAll(s.leaves());
              Expr step = number.cast(DType.F32).mul(0.1);
              Expr a = s.get("a");
              Expr grown = grow(inside, below(1, 5), depth + 1).getLast();
              Expr next = a.add(fit(grown, a.shape())).add(step.broadcastTo(a.shape())).tanh();
              return switch (kind) {
                case 0 -> s.with("a", s.get("b")).with("b", a); // swapped
                case 1 -> s.with("a", next); // b is passed on
                case 2 -> s.with("a", next).with("b", next);
                default -> s.with("a", s.get("b")).with("b", next);
              };
            });
    return last.get(below(0, 2) == 0 ? "a" : "b").stopGradient();
  }
}
