package dev.vauban.tensor;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;

/**
 * Maths without data: a node of a traced graph with a shape and an element type. Expressions are
 * immutable and hash-consed: equal operations on the same inputs are the same object.
 *
 * <p>The binary methods broadcast as NumPy does (sizes equal or 1, missing leading dimensions
 * added) by inserting explicit nodes; element types must agree, cast explicitly. Numbers given as
 * {@code double} become constants of the other operand's type.
 */
public final class Expr {
  private static final Map<Expr, WeakReference<Expr>> INTERNED = new WeakHashMap<>();

  private final Op op;
  private final List<Expr> inputs;
  private final List<Type> types;
  private final int hash;
  private String where = "?";

  private Expr(Op op, List<Expr> inputs, List<Type> types) {
    this.op = op;
    this.inputs = inputs;
    this.types = types;
    int h = op.hashCode();
    for (Expr in : inputs) {
      h = 31 * h + System.identityHashCode(in);
    }
    this.hash = h;
  }

  /**
   * The node of {@code op} on {@code inputs}, simplified where that cannot change the value (beyond
   * signs of zero and products of zero with infinities).
   *
   * @throws ShapeException if the number of inputs or their shapes do not fit; the message names
   *     the operands and their lines
   * @throws DTypeException if the element types do not fit
   */
  public static Expr of(Op op, List<Expr> inputs) {
    List<Expr> in = List.copyOf(inputs);
    if (op.arity() != Op.ANY && op.arity() != in.size()) {
      throw Errors.arity(op.label(), op.arity(), in.size());
    }
    List<Type> types = op.types(in);
    Expr simple = Simplify.apply(op, in, types);
    return simple != null ? simple : intern(new Expr(op, in, types));
  }

  private static Expr intern(Expr candidate) {
    synchronized (INTERNED) {
      WeakReference<Expr> ref = INTERNED.get(candidate);
      Expr known = ref == null ? null : ref.get();
      if (known != null) {
        return known;
      }
      candidate.where = SourceLine.current();
      INTERNED.put(candidate, new WeakReference<>(candidate));
      return candidate;
    }
  }

  static Expr parameter(long id, String name, Type type) {
    return of(new LeafOp.Parameter(id, name, type), List.of());
  }

  static Expr tuple(List<Expr> parts) {
    return of(new ControlOp.Tuple(), parts);
  }

  /**
   * A constant array of one value.
   *
   * @throws DTypeException if an integer type cannot hold the value
   */
  public static Expr fill(Type type, double value) {
    return of(new LeafOp.Fill(held(type, value), type), List.of());
  }

  /** The value as an array of this type holds it; I32 wraps around as its arithmetic does. */
  private static double held(Type type, double value) {
    if (type.dtype().isFloat()) {
      return value;
    }
    if (value != Math.rint(value) || Double.isInfinite(value)) { // also refuses NaN
      throw new DTypeException(
          "%s cannot hold the constant %s; cast to a floating-point type first"
              .formatted(type, value));
    }
    return type.dtype() == DType.U8 ? Math.max(0, Math.min(255, value)) : (int) (long) value;
  }

  /** A constant F32 scalar. */
  public static Expr scalar(double value) {
    return fill(Type.f32(), value);
  }

  /**
   * A constant array of given values in row-major order.
   *
   * @throws ShapeException if their number is not the type's
   * @throws DTypeException if an integer type cannot hold one of them
   */
  public static Expr data(Type type, double... values) {
    double[] held = Arrays.stream(values).map(v -> held(type, v)).toArray();
    return of(new LeafOp.Data(type, new LeafOp.Values(held)), List.of());
  }

  /** The index along {@code axis} at every element. */
  public static Expr iota(Type type, int axis) {
    return of(new LeafOp.Iota(type, type.shape().axis(axis)), List.of());
  }

  /** The operation. */
  public Op op() {
    return op;
  }

  /** The inputs. */
  public List<Expr> inputs() {
    return inputs;
  }

  /** Input {@code i}. */
  public Expr input(int i) {
    return inputs.get(i);
  }

  /** The types of all results; one but for nodes that hold programs. */
  public List<Type> types() {
    return types;
  }

  /** The type of the single result. */
  public Type type() {
    if (types.size() != 1) {
      throw new IllegalStateException(op.label() + " has " + types.size() + " results");
    }
    return types.getFirst();
  }

  /** The shape of the single result. */
  public Shape shape() {
    return type().shape();
  }

  /** The element type of the single result. */
  public DType dtype() {
    return type().dtype();
  }

  /** The user's source line that made this node first, as {@code File.java:12}. */
  public String where() {
    return where;
  }

  /** For messages: type, name or operation, line. */
  String describe() {
    String name = op instanceof LeafOp.Parameter p ? p.name() : op.label();
    String t = types.size() == 1 ? type().toString() : types.toString();
    return "%-16s %-12s %s".formatted(t, name, where);
  }

  /** Same operation on the same inputs; interned nodes are equal only if identical. */
  @Override
  public boolean equals(Object o) {
    if (this == o) {
      return true;
    }
    if (!(o instanceof Expr e) || hash != e.hash || inputs.size() != e.inputs.size()) {
      return false;
    }
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i) != e.inputs.get(i)) {
        return false;
      }
    }
    return op.equals(e.op);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  @Override
  public String toString() {
    return describe().strip();
  }

  // Scalar functions.

  private Expr unary(ScalarFn fn) {
    return of(new ElementOp.Pointwise(fn), List.of(this));
  }

  private Expr binary(ScalarFn fn, Expr b) {
    Shape s = broadcastShape(fn.name(), this, b);
    return of(new ElementOp.Pointwise(fn), List.of(broadcastTo(s), b.broadcastTo(s)));
  }

  private Expr like(double value) {
    return fill(type(), value);
  }

  /** -x. */
  public Expr neg() {
    return unary(ScalarFn.NEG);
  }

  /** |x|. */
  public Expr abs() {
    return unary(ScalarFn.ABS);
  }

  /** -1, 0 or 1. Gradient: zero. */
  public Expr sign() {
    return unary(ScalarFn.SIGN);
  }

  /** The largest integer not above. Gradient: zero. */
  public Expr floor() {
    return unary(ScalarFn.FLOOR);
  }

  /** e to the x. */
  public Expr exp() {
    return unary(ScalarFn.EXP);
  }

  /** e to the x, minus 1, accurate near 0. */
  public Expr expm1() {
    return unary(ScalarFn.EXPM1);
  }

  /** Natural logarithm. */
  public Expr log() {
    return unary(ScalarFn.LOG);
  }

  /** log(1 + x), accurate near 0. */
  public Expr log1p() {
    return unary(ScalarFn.LOG1P);
  }

  /** Sine; radians. */
  public Expr sin() {
    return unary(ScalarFn.SIN);
  }

  /** Cosine; radians. */
  public Expr cos() {
    return unary(ScalarFn.COS);
  }

  /** Hyperbolic tangent. */
  public Expr tanh() {
    return unary(ScalarFn.TANH);
  }

  /** 1 / (1 + exp(-x)). */
  public Expr sigmoid() {
    return unary(ScalarFn.SIGMOID);
  }

  /** The error function. */
  public Expr erf() {
    return unary(ScalarFn.ERF);
  }

  /** Square root. */
  public Expr sqrt() {
    return unary(ScalarFn.SQRT);
  }

  /** 1 / sqrt(x). */
  public Expr rsqrt() {
    return unary(ScalarFn.RSQRT);
  }

  /** 1 / x. */
  public Expr reciprocal() {
    return unary(ScalarFn.RECIPROCAL);
  }

  /** max(x, 0). Gradient: zero at 0. */
  public Expr relu() {
    return unary(ScalarFn.RELU);
  }

  /** x * x. */
  public Expr square() {
    return mul(this);
  }

  /** this + b. */
  public Expr add(Expr b) {
    return binary(ScalarFn.ADD, b);
  }

  /** this + b. */
  public Expr add(double b) {
    return add(like(b));
  }

  /** this - b. */
  public Expr sub(Expr b) {
    return binary(ScalarFn.SUB, b);
  }

  /** this - b. */
  public Expr sub(double b) {
    return sub(like(b));
  }

  /** a - this. */
  public Expr rsub(double a) {
    return like(a).sub(this);
  }

  /** this * b. */
  public Expr mul(Expr b) {
    return binary(ScalarFn.MUL, b);
  }

  /** this * b. */
  public Expr mul(double b) {
    return mul(like(b));
  }

  /** this / b. */
  public Expr div(Expr b) {
    return binary(ScalarFn.DIV, b);
  }

  /** this / b. */
  public Expr div(double b) {
    return div(like(b));
  }

  /** this to the power b. */
  public Expr pow(Expr b) {
    return binary(ScalarFn.POW, b);
  }

  /** this to the power b. */
  public Expr pow(double b) {
    return pow(like(b));
  }

  /** The smaller of this and b; NaN if either is. Gradient: halved at ties. */
  public Expr min(Expr b) {
    return binary(ScalarFn.MIN, b);
  }

  /** The smaller of this and b. */
  public Expr min(double b) {
    return min(like(b));
  }

  /** The larger of this and b; NaN if either is. Gradient: halved at ties. */
  public Expr max(Expr b) {
    return binary(ScalarFn.MAX, b);
  }

  /** The larger of this and b. */
  public Expr max(double b) {
    return max(like(b));
  }

  /** this limited to [lo, hi]. Gradient: 1 inside and on the bounds, else 0. */
  public Expr clamp(double lo, double hi) {
    return clamp(like(lo), like(hi));
  }

  /** this limited to [lo, hi], element by element. */
  public Expr clamp(Expr lo, Expr hi) {
    return of(
        new ElementOp.Pointwise(ScalarFn.CLAMP),
        List.of(this, lo.broadcastTo(shape()), hi.broadcastTo(shape())));
  }

  /** 1 where this &lt; b, else 0. */
  public Expr lt(Expr b) {
    return binary(ScalarFn.LT, b);
  }

  /** 1 where this &lt; b, else 0. */
  public Expr lt(double b) {
    return lt(like(b));
  }

  /** 1 where this &lt;= b, else 0. */
  public Expr le(Expr b) {
    return binary(ScalarFn.LE, b);
  }

  /** 1 where this &lt;= b, else 0. */
  public Expr le(double b) {
    return le(like(b));
  }

  /** 1 where this &gt; b, else 0. */
  public Expr gt(Expr b) {
    return b.lt(this);
  }

  /** 1 where this &gt; b, else 0. */
  public Expr gt(double b) {
    return like(b).lt(this);
  }

  /** 1 where this &gt;= b, else 0. */
  public Expr ge(Expr b) {
    return b.le(this);
  }

  /** 1 where this &gt;= b, else 0. */
  public Expr ge(double b) {
    return like(b).le(this);
  }

  /** 1 where equal, else 0. */
  public Expr eq(Expr b) {
    return binary(ScalarFn.EQ, b);
  }

  /** 1 where equal, else 0. */
  public Expr eq(double b) {
    return eq(like(b));
  }

  /** 1 where different, else 0. */
  public Expr ne(Expr b) {
    return binary(ScalarFn.NE, b);
  }

  /** a where mask is not 0, else b; all of one type, broadcast to a common shape. */
  public static Expr select(Expr mask, Expr a, Expr b) {
    Shape s = broadcastShape("select", a, b);
    s = broadcastShape("select", mask, fill(a.type().with(s), 0));
    return of(
        new ElementOp.Pointwise(ScalarFn.SELECT),
        List.of(mask.broadcastTo(s), a.broadcastTo(s), b.broadcastTo(s)));
  }

  /** An array of zeros of this type. */
  public Expr zeros() {
    return like(0);
  }

  /** An array of ones of this type. */
  public Expr ones() {
    return like(1);
  }

  /** This converted to another element type; see {@link ElementOp.Cast}. */
  public Expr cast(DType to) {
    return of(new ElementOp.Cast(to), List.of(this));
  }

  /** The same value with gradient zero. */
  public Expr stopGradient() {
    return of(new ControlOp.StopGradient(), List.of(this));
  }

  // Shapes.

  /** The same elements in another shape; one dimension may be -1 and is inferred. */
  public Expr reshape(int... dims) {
    int[] d = dims.clone();
    long known = 1;
    int open = -1;
    for (int i = 0; i < d.length; i++) {
      if (d[i] == -1 && open < 0) {
        open = i;
      } else {
        known *= d[i];
      }
    }
    if (open >= 0) {
      d[open] = known == 0 ? 0 : (int) (shape().size() / known);
    }
    return reshape(Shape.of(d));
  }

  /** The same elements in another shape. */
  public Expr reshape(Shape shape) {
    return of(new ShapeOp.Reshape(shape), List.of(this));
  }

  /** Result dimension i is dimension {@code perm[i]}; without arguments, the reverse order. */
  public Expr transpose(int... perm) {
    int r = shape().rank();
    int[] p = perm;
    if (perm.length == 0) {
      p = new int[r];
      for (int i = 0; i < r; i++) {
        p[i] = r - 1 - i;
      }
    }
    return of(new ShapeOp.Transpose(Axes.of(p)), List.of(this));
  }

  /** This repeated: dimension i becomes dimension {@code axes[i]} of {@code shape}. */
  public Expr broadcast(Shape shape, int... axes) {
    int[] a = IntStream.of(axes).map(shape::axis).toArray();
    return of(new ShapeOp.Broadcast(shape, Axes.of(a)), List.of(this));
  }

  /** This repeated to {@code target} by NumPy's rule. */
  public Expr broadcastTo(Shape target) {
    Shape s = shape();
    if (s.equals(target)) {
      return this;
    }
    int lead = target.rank() - s.rank();
    List<Integer> axes = new ArrayList<>();
    List<Integer> kept = new ArrayList<>();
    for (int i = 0; i < s.rank(); i++) {
      int d = s.dim(i);
      int t = lead < 0 ? -1 : target.dim(lead + i);
      if (d == t) {
        axes.add(lead + i);
        kept.add(d);
      } else if (d != 1) {
        throw Errors.shapes("broadcast", "cannot repeat to " + target, List.of(this));
      }
    }
    return reshape(Axes.array(kept)).broadcast(target, Axes.array(axes));
  }

  private static Shape broadcastShape(String op, Expr a, Expr b) {
    if (a.shape().equals(b.shape())) {
      return a.shape();
    }
    int r = Math.max(a.shape().rank(), b.shape().rank());
    int[] d = new int[r];
    for (int i = 1; i <= r; i++) {
      int x = i <= a.shape().rank() ? a.shape().dim(-i) : 1;
      int y = i <= b.shape().rank() ? b.shape().dim(-i) : 1;
      if (x != y && x != 1 && y != 1) {
        throw Errors.shapes(
            op.toLowerCase(java.util.Locale.ROOT),
            "dimensions differ, " + x + " ≠ " + y,
            List.of(a, b));
      }
      d[r - i] = x == 1 ? y : x;
    }
    return Shape.of(d);
  }

  /** Elements start &lt;= index &lt; stop along one axis. */
  public Expr slice(int axis, int start, int stop) {
    int a = shape().axis(axis);
    int r = shape().rank();
    int[] starts = new int[r];
    int[] stops = shape().dims();
    int[] strides = new int[r];
    Arrays.fill(strides, 1);
    starts[a] = start;
    stops[a] = stop;
    return slice(starts, stops, strides);
  }

  /** A strided range of every axis; see {@link ShapeOp.Slice}. */
  public Expr slice(int[] starts, int[] stops, int[] strides) {
    return of(new ShapeOp.Slice(Axes.of(starts), Axes.of(stops), Axes.of(strides)), List.of(this));
  }

  /** Zeros around and between the elements; see {@link ShapeOp.Pad}. */
  public Expr pad(int[] low, int[] high, int[] interior) {
    return of(new ShapeOp.Pad(Axes.of(low), Axes.of(high), Axes.of(interior)), List.of(this));
  }

  /** The arrays one after another along {@code axis}. */
  public static Expr concat(int axis, Expr... parts) {
    return parts.length == 1
        ? parts[0]
        : of(new ShapeOp.Concat(parts[0].shape().axis(axis)), List.of(parts));
  }

  // Reductions and order.

  private Expr reduce(ReduceOp.Kind kind, int[] axes) {
    return of(new ReduceOp.Reduce(kind, Axes.of(reduced(axes))), List.of(this));
  }

  /** The axes to reduce, ascending: all if none is given. */
  private int[] reduced(int[] axes) {
    int[] a = axes.length == 0 ? Axes.array(Axes.range(0, shape().rank())) : axes.clone();
    for (int i = 0; i < a.length; i++) {
      a[i] = shape().axis(a[i]);
    }
    Arrays.sort(a);
    return a;
  }

  /** The sum over {@code axes}, which disappear; over all without arguments. */
  public Expr sum(int... axes) {
    return reduce(ReduceOp.Kind.SUM, axes);
  }

  /** The mean over {@code axes}; over all without arguments. */
  public Expr mean(int... axes) {
    Expr s = sum(axes);
    return s.mul((double) s.shape().size() / shape().size());
  }

  /** The largest element over {@code axes}; over all without arguments. */
  public Expr maxOver(int... axes) {
    return reduce(ReduceOp.Kind.MAX, axes);
  }

  /** The smallest element over {@code axes}; over all without arguments. */
  public Expr minOver(int... axes) {
    return reduce(ReduceOp.Kind.MIN, axes);
  }

  /** The population variance over {@code axes} (divisor n). */
  public Expr variance(int... axes) {
    return of(new ReduceOp.Variance(Axes.of(reduced(axes))), List.of(this));
  }

  /** A reduction's result repeated along the axes that it lost, to {@code full}. */
  public Expr keep(Shape full, int... lost) {
    List<Integer> gone = Arrays.stream(lost).map(full::axis).boxed().toList();
    return broadcast(full, Axes.array(Axes.others(gone, full.rank())));
  }

  /** The index (I32) of the first largest element along {@code axis}. */
  public Expr argMax(int axis) {
    return of(new ReduceOp.ArgReduce(ReduceOp.Kind.MAX, shape().axis(axis)), List.of(this));
  }

  /** The index (I32) of the first smallest element along {@code axis}. */
  public Expr argMin(int axis) {
    return of(new ReduceOp.ArgReduce(ReduceOp.Kind.MIN, shape().axis(axis)), List.of(this));
  }

  /** The indices (I32) that sort along {@code axis}, the first k; see {@link ReduceOp.ArgSort}. */
  public Expr argSort(int axis, ReduceOp.Order order, int k) {
    return of(new ReduceOp.ArgSort(shape().axis(axis), order, k), List.of(this));
  }

  /** The first k elements in {@code order} along {@code axis}. Differentiable. */
  public Expr sorted(int axis, ReduceOp.Order order, int k) {
    return takeAlong(axis, argSort(axis, order, k));
  }

  /** The k largest along the last axis, largest first. Differentiable. */
  public Expr topK(int k) {
    return sorted(-1, ReduceOp.Order.DESCENDING, k);
  }

  /** Element [.., indices[.., j, ..], ..] along {@code axis}: one index list per line. */
  public Expr takeAlong(int axis, Expr indices) {
    int a = shape().axis(axis);
    int r = shape().rank();
    Expr x = a == r - 1 ? this : Batching.move(this, a, r - 1);
    Expr idx = a == r - 1 ? indices : Batching.move(indices, a, r - 1);
    int n = x.shape().dim(-1);
    int lines = (int) (x.shape().size() / Math.max(n, 1));
    int k = idx.shape().dim(-1);
    Expr row = iota(new Type(DType.I32, Shape.of(lines, k)), 0).mul(n);
    Expr flat = idx.reshape(lines, k).add(row);
    Expr y = x.reshape(lines * n).gather(0, flat).reshape(idx.shape());
    return a == r - 1 ? y : Batching.move(y, r - 1, a);
  }

  /** The slices along {@code axis} at the I32 indices; see {@link IndexOp.Gather}. */
  public Expr gather(int axis, Expr indices) {
    return of(new IndexOp.Gather(shape().axis(axis)), List.of(this, indices));
  }

  /**
   * These slices added into zeros at the I32 indices; see {@link IndexOp.ScatterAdd}.
   *
   * @param axis of the result; a negative one counts from its end
   */
  public Expr scatterAdd(int axis, int size, Expr indices) {
    int rank = shape().rank() - indices.shape().rank() + 1;
    int a = axis < 0 ? axis + rank : axis;
    if (a < 0 || a >= rank) {
      throw Errors.shapes("scatterAdd", "the result has no axis " + axis, List.of(this, indices));
    }
    return of(new IndexOp.ScatterAdd(a, size), List.of(this, indices));
  }

  /** 1 at [.., labels[..]] of a new last axis of size {@code classes}, else 0; F32. */
  public Expr oneHot(int classes) {
    Shape s = shape().insert(shape().rank(), classes);
    Expr index = iota(new Type(DType.I32, s), s.rank() - 1);
    int[] axes = Axes.array(Axes.range(0, shape().rank()));
    return broadcast(s, axes).eq(index).cast(DType.F32);
  }

  // Products.

  /**
   * The matrix product over the last axis of this and the second last of b, broadcasting leading
   * axes; vectors are treated as NumPy does.
   */
  public Expr matmul(Expr b) {
    return MatrixProduct.of(this, b);
  }

  /** A general contraction; see {@link ContractOp.Contract}. */
  public Expr contract(Expr b, int[] leftBatch, int[] rightBatch, int[] leftSum, int[] rightSum) {
    return of(
        new ContractOp.Contract(
            axes(leftBatch), b.axes(rightBatch), axes(leftSum), b.axes(rightSum)),
        List.of(this, b));
  }

  private List<Integer> axes(int[] axes) {
    return IntStream.of(axes).map(shape()::axis).boxed().toList();
  }

  /** Convolution of images [N,H,W,C] with kernels [H,W,I,O]; see {@link ConvOp.Convolve}. */
  public Expr convolve(Expr kernel, Window window, int groups) {
    return of(new ConvOp.Convolve(window, groups), List.of(this, kernel));
  }

  /** Maximum over each window; the gradient goes to the window's first maximum. */
  public Expr maxPool(PoolOp.PoolWindow window) {
    Expr at = of(new PoolOp.PoolArgMax(window), List.of(this));
    return of(new PoolOp.PoolGather(window), List.of(this, at));
  }

  /** Sum over each window; padding counts 0. */
  public Expr sumPool(PoolOp.PoolWindow window) {
    return of(new PoolOp.PoolSum(window), List.of(this));
  }

  /** Mean over each window; padding counts as zeros that are part of the mean. */
  public Expr averagePool(PoolOp.PoolWindow window) {
    return sumPool(window).mul(1.0 / (window.h() * window.w()));
  }

  // Randomness.

  /** An independent key for {@code data} (I32, one per key); this is a key I32 [...,2]. */
  public Expr fold(Expr data) {
    return of(new RandomOp.Fold(), List.of(this, data));
  }

  /** An independent key for a constant; this is a key I32 [...,2]. */
  public Expr fold(int data) {
    return fold(fill(new Type(DType.I32, shape().without(-1)), data));
  }

  /** Uniform numbers in [0, 1), F32; this is a key I32 [...,2]. */
  public Expr uniform(Shape shape) {
    return of(new RandomOp.Random(RandomOp.Distribution.UNIFORM, shape), List.of(this));
  }

  /** Standard normal numbers, F32; this is a key I32 [...,2]. */
  public Expr normal(Shape shape) {
    return of(new RandomOp.Random(RandomOp.Distribution.NORMAL, shape), List.of(this));
  }

  /** Random 32-bit integers; this is a key I32 [...,2]. */
  public Expr bits(Shape shape) {
    return of(new RandomOp.Random(RandomOp.Distribution.BITS, shape), List.of(this));
  }
}
