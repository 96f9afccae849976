package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Local rewrites applied whenever a node is made. They keep values except for signs of zero, and
 * treat 0 * x as 0 (gradients are full of structural zeros).
 */
final class Simplify {
  private static final ThreadLocal<Boolean> OFF = ThreadLocal.withInitial(() -> false);

  private Simplify() {}

  /** Runs {@code trace} without rewrites: what a test compares the rewritten graph with. */
  static <T> T without(Supplier<T> trace) {
    boolean before = OFF.get();
    OFF.set(true);
    try {
      return trace.get();
    } finally {
      OFF.set(before);
    }
  }

  /** A simpler equal expression, or null if there is none. */
  static Expr apply(Op op, List<Expr> in, List<Type> types) {
    if (OFF.get() && !(op instanceof ControlOp.Project)) {
      return null;
    }
    return switch (op) {
      case ElementOp.Pointwise p -> pointwise(p.fn(), in, types.getFirst());
      case ElementOp.Cast c -> cast(c, in.getFirst());
      case ShapeOp.Reshape r -> reshape(r, in.getFirst());
      case ShapeOp.Transpose t -> transpose(t, in.getFirst());
      case ShapeOp.Broadcast b -> broadcast(b, in.getFirst());
      case ShapeOp.Slice s -> slice(s, in.getFirst(), types.getFirst());
      case ShapeOp.Pad p -> pad(in.getFirst(), types.getFirst());
      case ShapeOp.Concat c -> in.size() == 1 ? in.getFirst() : null;
      case ReduceOp.Reduce r -> reduce(r, in.getFirst(), types.getFirst());
      case ControlOp.StopGradient s -> stop(in.getFirst());
      case ControlOp.Project p -> project(p, in.getFirst());
      case PoolOp.PoolGather g when !isFill(in.getFirst(), 0) -> PoolRules.gather(g, in);
      case LeafOp.Iota i -> i.type().shape().dim(i.axis()) == 1 ? Expr.fill(i.type(), 0) : null;
      default -> linearOfZero(op, in, types);
    };
  }

  private static Expr linearOfZero(Op op, List<Expr> in, List<Type> types) {
    boolean zero =
        switch (op) {
          case ContractOp.Contract c -> isFill(in.get(0), 0) || isFill(in.get(1), 0);
          case ConvOp c -> isFill(in.get(0), 0) || isFill(in.get(1), 0);
          case PoolOp.PoolGather p -> isFill(in.get(0), 0);
          case PoolOp.PoolScatter p -> isFill(in.get(0), 0);
          case PoolOp.PoolSum p -> isFill(in.get(0), 0);
          case PoolOp.PoolSumGradient p -> isFill(in.get(0), 0);
          case IndexOp.ScatterAdd s -> isFill(in.get(0), 0);
          default -> false;
        };
    return zero ? Expr.fill(types.getFirst(), 0) : null;
  }

  private static boolean isFill(Expr e, double value) {
    return e.op() instanceof LeafOp.Fill f && f.value() == value;
  }

  private static Expr pointwise(ScalarFn fn, List<Expr> in, Type type) {
    Expr a = in.getFirst();
    Expr b = in.size() > 1 ? in.get(1) : null;
    if (in.stream().allMatch(e -> e.op() instanceof LeafOp.Fill)) {
      double[] v = {0, 0, 0};
      for (int i = 0; i < in.size(); i++) {
        v[i] = ((LeafOp.Fill) in.get(i).op()).value();
      }
      return Expr.fill(type, fn.apply(v[0], v[1], v[2]));
    }
    Expr simple =
        switch (fn) {
          // -(x * c) = x * -c: gradients of means and learning rates come with both.
          case NEG ->
              isNeg(a) ? a.input(0) : scaled(a) != null ? a.input(0).mul(-scaled(a).value()) : null;
          case ADD -> add(a, b);
          case SUB ->
              isFill(b, 0) ? a : isFill(a, 0) ? b.neg() : isNeg(b) ? a.add(b.input(0)) : null;
          case MUL -> multiply(a, b, type);
          case DIV -> divide(a, b, type);
          case POW -> power(a, b);
          case SELECT -> select(a, in.get(1), in.get(2));
          default -> null;
        };
    if (simple != null) {
      return simple;
    }
    Expr scattered = PoolRules.pointwise(fn, in);
    if (scattered != null) {
      return scattered;
    }
    Expr repeated = throughBroadcast(fn, in, type);
    return repeated != null ? repeated : throughReshape(fn, in);
  }

  private static boolean isNeg(Expr e) {
    return e.op() instanceof ElementOp.Pointwise p && p.fn() == ScalarFn.NEG;
  }

  private static boolean isMul(Expr e) {
    return e.op() instanceof ElementOp.Pointwise p && p.fn() == ScalarFn.MUL;
  }

  private static Expr add(Expr a, Expr b) {
    if (isFill(a, 0) || isFill(b, 0)) {
      return isFill(a, 0) ? b : a;
    }
    if (a == b) { // the gradient of a square; the 2 can join other constants
      return a.mul(2);
    }
    return isNeg(b) ? a.sub(b.input(0)) : isNeg(a) ? b.sub(a.input(0)) : null;
  }

  /** A factor that is the same along some axis: constants and broadcasts. */
  private static boolean isRepeated(Expr e) {
    return e.op() instanceof LeafOp.Fill || e.op() instanceof ShapeOp.Broadcast;
  }

  private static Expr multiply(Expr a, Expr b, Type type) {
    if (isFill(a, 0) || isFill(b, 0)) {
      return Expr.fill(type, 0);
    }
    if (isFill(a, 1) || isFill(b, -1)) {
      return isFill(a, 1) ? b : a.neg();
    }
    if (isFill(b, 1) || isFill(a, -1)) {
      return isFill(b, 1) ? a : b.neg();
    }
    // (x * c) * d = x * (c * d): constants from means and learning rates meet often.
    if (b.op() instanceof LeafOp.Fill d && scaled(a) != null) {
      return a.input(0).mul(scaled(a).value() * d.value());
    }
    if (isNeg(a) || isNeg(b)) {
      return (isNeg(a) ? a.input(0).mul(b) : a.mul(b.input(0))).neg();
    }
    // Repeated factors move right and outward: sums can then take them out.
    if (isRepeated(a) && !isRepeated(b)) {
      return b.mul(a);
    }
    if (!isRepeated(b)) {
      if (isMul(a) && isRepeated(a.input(1)) && !isRepeated(a.input(0))) {
        return a.input(0).mul(b).mul(a.input(1));
      }
      if (isMul(b) && isRepeated(b.input(1)) && !isRepeated(b.input(0))) {
        return a.mul(b.input(0)).mul(b.input(1));
      }
    } else if (isMul(a) && isRepeated(a.input(1)) && sameRepeat(a.input(1), b)) {
      return a.input(0).mul(a.input(1).mul(b));
    }
    return null;
  }

  private static boolean sameRepeat(Expr a, Expr b) {
    return a.op() instanceof ShapeOp.Broadcast x
        && b.op() instanceof ShapeOp.Broadcast y
        && x.axes().equals(y.axes());
  }

  /** f(broadcast x, broadcast y) = broadcast f(x, y): computes once what is the same many times. */
  private static Expr throughBroadcast(ScalarFn fn, List<Expr> in, Type type) {
    ShapeOp.Broadcast common = null;
    Shape inner = null;
    for (Expr e : in) {
      if (e.op() instanceof ShapeOp.Broadcast b && (common == null || common.equals(b))) {
        common = b;
        inner = e.input(0).shape();
      } else if (!(e.op() instanceof LeafOp.Fill)) {
        return null;
      }
    }
    if (common == null) {
      return null;
    }
    List<Expr> small = new ArrayList<>();
    for (Expr e : in) {
      small.add(
          e.op() instanceof LeafOp.Fill f
              ? Expr.fill(e.type().with(inner), f.value())
              : e.input(0));
    }
    return Expr.of(new ElementOp.Pointwise(fn), small)
        .broadcast(type.shape(), Axes.array(common.axes()));
  }

  private static LeafOp.Fill scaled(Expr a) {
    return a.op() instanceof ElementOp.Pointwise p
            && p.fn() == ScalarFn.MUL
            && a.input(1).op() instanceof LeafOp.Fill c
        ? c
        : null;
  }

  private static Expr divide(Expr a, Expr b, Type type) {
    if (isFill(a, 0)) {
      return Expr.fill(type, 0);
    }
    if (b.op() instanceof LeafOp.Fill d && type.dtype().isFloat()) {
      double r = Math.abs(1 / d.value());
      // The reciprocal of a subnormal or huge number loses digits in F32, or everything.
      return r >= Float.MIN_NORMAL && r <= Float.MAX_VALUE ? a.mul(1 / d.value()) : null;
    }
    return null;
  }

  private static Expr power(Expr a, Expr b) {
    if (b.op() instanceof LeafOp.Fill f) {
      if (f.value() == 0) {
        return a.ones();
      }
      if (f.value() == 1) {
        return a;
      }
      if (f.value() == 2) {
        return a.mul(a);
      }
      if (f.value() == -1) {
        return a.reciprocal();
      }
    }
    return null;
  }

  private static Expr select(Expr mask, Expr a, Expr b) {
    if (mask.op() instanceof LeafOp.Fill f) {
      return f.value() != 0 ? a : b;
    }
    return a == b ? a : null;
  }

  /** f(reshape x, reshape y) = reshape f(x, y): brings pointwise chains together. */
  private static Expr throughReshape(ScalarFn fn, List<Expr> in) {
    Shape source = null;
    Shape target = null;
    for (Expr e : in) {
      if (e.op() instanceof ShapeOp.Reshape r) {
        Shape s = e.input(0).shape();
        if (source != null && !source.equals(s)) {
          return null;
        }
        source = s;
        target = r.shape();
      } else if (!(e.op() instanceof LeafOp.Fill)) {
        return null;
      }
    }
    if (source == null) {
      return null;
    }
    List<Expr> inner = new ArrayList<>();
    for (Expr e : in) {
      inner.add(
          e.op() instanceof LeafOp.Fill f
              ? Expr.fill(e.type().with(source), f.value())
              : e.input(0));
    }
    return Expr.of(new ElementOp.Pointwise(fn), inner).reshape(target);
  }

  private static Expr cast(ElementOp.Cast c, Expr x) {
    if (x.dtype() == c.to()) {
      return x;
    }
    if (x.op() instanceof LeafOp.Fill f) {
      double v = c.to().isFloat() ? f.value() : (double) (int) f.value(); // truncates, saturates
      return c.to() == DType.BF16 ? null : Expr.fill(x.type().with(c.to()), v);
    }
    return null;
  }

  private static Expr reshape(ShapeOp.Reshape r, Expr x) {
    if (x.shape().equals(r.shape())) {
      return x;
    }
    return switch (x.op()) {
      case ShapeOp.Reshape inner -> x.input(0).reshape(r.shape());
      case LeafOp.Fill f -> Expr.fill(x.type().with(r.shape()), f.value());
      default -> null;
    };
  }

  private static Expr transpose(ShapeOp.Transpose t, Expr x) {
    if (t.perm().equals(Axes.range(0, t.perm().size()))) {
      return x;
    }
    return switch (x.op()) {
      case ShapeOp.Transpose inner ->
          x.input(0).transpose(t.perm().stream().mapToInt(inner.perm()::get).toArray());
      case LeafOp.Fill f ->
          Expr.fill(x.type().with(t.types(List.of(x)).getFirst().shape()), f.value());
      case ContractOp.Contract c when swapsOperands(t, c, x) ->
          Expr.of(
              new ContractOp.Contract(c.rightBatch(), c.leftBatch(), c.rightSum(), c.leftSum()),
              List.of(x.input(1), x.input(0)));
      default -> onlyMovesOnes(t, x) ? x.reshape(t.types(List.of(x)).getFirst().shape()) : null;
    };
  }

  /**
   * (a b)' = b' a': the product itself can give its result with the free axes the other way round.
   */
  private static boolean swapsOperands(ShapeOp.Transpose t, ContractOp.Contract c, Expr x) {
    int rank = t.perm().size();
    int batch = c.leftBatch().size();
    int right = batch + c.leftFree(x.input(0).shape().rank()).size(); // where right's axes begin
    List<Integer> swapped = new ArrayList<>(Axes.range(0, batch));
    swapped.addAll(Axes.range(right, rank));
    swapped.addAll(Axes.range(batch, right));
    return t.perm().equals(swapped);
  }

  /** True if the axes longer than 1 keep their order: then a transposition is a reshape. */
  private static boolean onlyMovesOnes(ShapeOp.Transpose t, Expr x) {
    int last = -1;
    for (int a : t.perm()) {
      if (x.shape().dim(a) != 1) {
        if (a < last) {
          return false;
        }
        last = a;
      }
    }
    return true;
  }

  private static Expr broadcast(ShapeOp.Broadcast b, Expr x) {
    if (x.shape().equals(b.shape())) {
      return x;
    }
    if (x.shape().size() == b.shape().size()) {
      return x.reshape(b.shape());
    }
    return switch (x.op()) {
      case LeafOp.Fill f -> Expr.fill(x.type().with(b.shape()), f.value());
      case ShapeOp.Broadcast inner ->
          x.input(0)
              .broadcast(b.shape(), inner.axes().stream().mapToInt(a -> b.axes().get(a)).toArray());
      default -> null;
    };
  }

  private static Expr slice(ShapeOp.Slice s, Expr x, Type type) {
    if (type.equals(x.type())) {
      return x;
    }
    return switch (x.op()) {
      case LeafOp.Fill f -> Expr.fill(type, f.value());
      case ShapeOp.Broadcast b -> {
        int[] starts = b.axes().stream().mapToInt(s.starts()::get).toArray();
        int[] stops = b.axes().stream().mapToInt(s.stops()::get).toArray();
        int[] strides = b.axes().stream().mapToInt(s.strides()::get).toArray();
        yield x.input(0)
            .slice(starts, stops, strides)
            .broadcast(type.shape(), Axes.array(b.axes()));
      }
      default -> null;
    };
  }

  private static Expr pad(Expr x, Type type) {
    if (type.equals(x.type())) {
      return x;
    }
    return isFill(x, 0) ? Expr.fill(type, 0) : null;
  }

  private static Expr reduce(ReduceOp.Reduce r, Expr x, Type type) {
    if (r.axes().isEmpty()) {
      return x;
    }
    boolean sum = r.kind() == ReduceOp.Kind.SUM;
    if (x.shape().size() == type.shape().size()) {
      return x.reshape(type.shape());
    }
    if (x.op() instanceof LeafOp.Fill f && type.shape().size() > 0) {
      double count = (double) x.shape().size() / type.shape().size();
      return Expr.fill(type, sum ? f.value() * count : f.value());
    }
    if (sum && scaled(x) != null && type.dtype().isFloat()) {
      return Expr.of(r, List.of(x.input(0))).mul(scaled(x).value());
    }
    if (sum && x.op() instanceof PoolOp.PoolScatter) {
      return PoolRules.sum(r, x);
    }
    if (sum && isNeg(x)) {
      return Expr.of(r, List.of(x.input(0))).neg();
    }
    if (sum
        && isMul(x)
        && x.input(1).op() instanceof ShapeOp.Broadcast b
        && b.axes().stream().noneMatch(r.axes()::contains)) {
      return takeOut(r, b, x);
    }
    if (sum && x.op() instanceof ShapeOp.Broadcast b && type.dtype().isFloat()) {
      return sumOfRepeats(r, b, x);
    }
    if (x.op() instanceof ReduceOp.Reduce inner && inner.kind() == r.kind()) {
      return mergeReductions(r, inner, x.input(0));
    }
    return null;
  }

  /** sum(x * b) = sum(x) * b where b is the same along every summed axis. */
  private static Expr takeOut(ReduceOp.Reduce r, ShapeOp.Broadcast b, Expr x) {
    List<Integer> kept = Axes.others(r.axes(), b.shape().rank());
    int[] axes = b.axes().stream().mapToInt(kept::indexOf).toArray();
    Expr total = Expr.of(r, List.of(x.input(0)));
    return total.mul(x.input(1).input(0).broadcast(total.shape(), axes));
  }

  /** The sum along repeated axes is a product with their sizes. */
  private static Expr sumOfRepeats(ReduceOp.Reduce r, ShapeOp.Broadcast b, Expr x) {
    double count = 1;
    boolean any = false;
    List<Integer> still = new ArrayList<>(); // reduced axes of b's input
    List<Integer> axes = new ArrayList<>(); // where its kept axes go in the result
    List<Integer> kept = Axes.others(r.axes(), b.shape().rank());
    for (int a : r.axes()) {
      if (!b.axes().contains(a)) {
        count *= b.shape().dim(a);
        any = true;
      }
    }
    if (!any) {
      return null;
    }
    for (int i = 0; i < b.axes().size(); i++) {
      if (r.axes().contains(b.axes().get(i))) {
        still.add(i);
      } else {
        axes.add(kept.indexOf(b.axes().get(i)));
      }
    }
    Expr inner = x.input(0);
    if (!still.isEmpty()) {
      inner = inner.sum(Axes.array(still));
    }
    Shape target = b.shape().without(Axes.array(r.axes()));
    return inner.mul(count).broadcast(target, Axes.array(axes));
  }

  private static Expr mergeReductions(ReduceOp.Reduce outer, ReduceOp.Reduce inner, Expr x) {
    List<Integer> kept = Axes.others(inner.axes(), x.shape().rank());
    List<Integer> all = new ArrayList<>(inner.axes());
    outer.axes().forEach(a -> all.add(kept.get(a)));
    all.sort(null);
    return Expr.of(new ReduceOp.Reduce(outer.kind(), List.copyOf(all)), List.of(x));
  }

  private static Expr stop(Expr x) {
    boolean constant = x.op() instanceof LeafOp && !(x.op() instanceof LeafOp.Parameter);
    return constant || x.op() instanceof ControlOp.StopGradient ? x : null;
  }

  private static Expr project(ControlOp.Project p, Expr x) {
    return x.op() instanceof ControlOp.Tuple ? x.input(p.index()) : null;
  }
}
