package dev.vauban.tensor;

import dev.vauban.tensor.OpCase.Domain;
import dev.vauban.tensor.OpCase.Input;
import dev.vauban.tensor.OpCase.Smoothness;
import dev.vauban.tensor.PoolOp.PoolWindow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The table of operations. Tests of meaning (gradients, mapping) and of backends iterate it, on odd
 * sizes; a test fails if an operation has no row.
 */
public final class OpCases {
  /** Around the lengths of vectors and their multiples. */
  public static final int[] SIZES = {0, 1, 3, 7, 8, 13, 16, 31, 64, 100, 207, 1024, 4098};

  private final List<OpCase> rows = new ArrayList<>();

  private OpCases() {}

  /** All rows. */
  public static Stream<OpCase> all() {
    OpCases table = new OpCases();
    table.leaves();
    table.pointwise();
    table.casts();
    table.shapes();
    table.reductions();
    table.contractions();
    table.convolutions();
    table.pooling();
    table.indices();
    table.random();
    table.control();
    return table.rows.stream();
  }

  private void row(
      String name,
      Class<? extends Op> op,
      Smoothness smoothness,
      long terms,
      Type expected,
      Function<List<Expr>, Expr> f,
      Input... inputs) {
    rows.add(new OpCase(name, op, List.of(inputs), expected, smoothness, 8, terms, f));
  }

  private void smooth(
      String name,
      Class<? extends Op> op,
      long terms,
      Type expected,
      Function<List<Expr>, Expr> f,
      Input... inputs) {
    row(name, op, Smoothness.TWICE, terms, expected, f, inputs);
  }

  private static Input real(int... dims) {
    return new Input(Type.f32(dims), Domain.REAL);
  }

  private static Input distinct(int... dims) {
    return new Input(Type.f32(dims), Domain.DISTINCT);
  }

  private static Input index(int... dims) {
    return new Input(Type.i32(dims), Domain.INDEX_BELOW_3);
  }

  private static Input key(int... dims) {
    return new Input(Type.i32(dims), Domain.BITS);
  }

  private static Expr node(Op op, Expr... in) {
    return Expr.of(op, List.of(in));
  }

  private void leaves() {
    Type t = Type.f32(3, 5);
    smooth("parameter", LeafOp.Parameter.class, 1, t, in -> in.get(0), real(3, 5));
    smooth("fill", LeafOp.Fill.class, 1, t, in -> in.get(0).mul(Expr.fill(t, 2.5)), real(3, 5));
    smooth(
        "data",
        LeafOp.Data.class,
        1,
        Type.f32(4),
        in -> in.get(0).mul(Expr.data(Type.f32(4), 1, -2, 3.5, 0)),
        real(4));
    for (int axis = 0; axis < 3; axis++) {
      int a = axis;
      smooth(
          "iota axis " + axis,
          LeafOp.Iota.class,
          1,
          Type.f32(2, 3, 5),
          in -> in.get(0).mul(Expr.iota(Type.f32(2, 3, 5), a)),
          real(2, 3, 5));
    }
  }

  private void pointwise() {
    for (ScalarFn fn : ScalarFn.values()) {
      for (int n : SIZES) {
        rows.add(scalar(fn, n, Type.f32(n), "" + n, Smoothness.TWICE, i -> domain(fn, i)));
      }
      if (fn.onIntegers()) {
        Type t = Type.i32(13);
        Function<Integer, Domain> d =
            i -> fn == ScalarFn.SELECT && i == 0 ? Domain.MASK : Domain.SMALL_INTEGER;
        rows.add(scalar(fn, 13, t, "i32", Smoothness.NONE, d));
      }
    }
  }

  private static OpCase scalar(
      ScalarFn fn,
      int n,
      Type type,
      String what,
      Smoothness smoothness,
      Function<Integer, Domain> domains) {
    List<Input> inputs = new ArrayList<>();
    for (int i = 0; i < fn.arity(); i++) {
      inputs.add(new Input(type, domains.apply(i)));
    }
    String name = fn.name().toLowerCase(Locale.ROOT) + " " + what;
    return new OpCase(
        name,
        ElementOp.Pointwise.class,
        inputs,
        type,
        smoothness,
        fn == ScalarFn.POW ? 32 : 8,
        1,
        in -> Expr.of(new ElementOp.Pointwise(fn), in));
  }

  private static Domain domain(ScalarFn fn, int i) {
    return switch (fn) {
      case ABS, SIGN, FLOOR, RELU -> Domain.BETWEEN_INTEGERS;
      case LOG, SQRT, RSQRT, RECIPROCAL -> Domain.POSITIVE;
      case LOG1P -> Domain.UNIT;
      case DIV -> i == 0 ? Domain.REAL : Domain.POSITIVE;
      case POW -> i == 0 ? Domain.POSITIVE : Domain.REAL;
      case SELECT -> i == 0 ? Domain.MASK : Domain.REAL;
      case CLAMP -> i == 0 ? Domain.REAL : i == 1 ? Domain.LOW : Domain.HIGH;
      default -> Domain.REAL;
    };
  }

  private void casts() {
    Class<? extends Op> op = ElementOp.Cast.class;
    Type t = Type.f32(31);
    Input between = new Input(t, Domain.BETWEEN_INTEGERS);
    row(
        "cast f32-i32",
        op,
        Smoothness.NONE,
        1,
        Type.i32(31),
        in -> in.get(0).cast(DType.I32),
        between);
    Input small = new Input(Type.i32(31), Domain.SMALL_INTEGER);
    row("cast i32-f32", op, Smoothness.NONE, 1, t, in -> in.get(0).cast(DType.F32), small);
    row(
        "cast f32-u8",
        op,
        Smoothness.NONE,
        1,
        Type.u8(31),
        in -> in.get(0).mul(200).cast(DType.U8),
        between);
    row(
        "cast u8-f32",
        op,
        Smoothness.NONE,
        1,
        t,
        in -> in.get(0).cast(DType.F32).mul(0.5),
        new Input(Type.u8(31), Domain.INDEX_BELOW_3));
    smooth("cast f32-f64-f32", op, 1, t, in -> in.get(0).cast(DType.F64).cast(DType.F32), real(31));
  }

  private void shapes() {
    Class<? extends Op> reshape = ShapeOp.Reshape.class;
    smooth("reshape", reshape, 1, Type.f32(3, 10), in -> in.get(0).reshape(3, 10), real(5, 2, 3));
    smooth("reshape to scalar", reshape, 1, Type.f32(), in -> in.get(0).reshape(), real(1, 1));
    smooth("reshape empty", reshape, 1, Type.f32(0, 7), in -> in.get(0).reshape(0, 7), real(3, 0));
    Class<? extends Op> transpose = ShapeOp.Transpose.class;
    for (int[] p : new int[][] {{1, 0, 2}, {2, 1, 0}, {0, 2, 1}, {1, 2, 0}, {2, 0, 1}}) {
      int[] d = {5, 17, 3};
      smooth(
          "transpose " + Arrays.toString(p),
          transpose,
          1,
          Type.f32(d[p[0]], d[p[1]], d[p[2]]),
          in -> in.get(0).transpose(p),
          real(d));
    }
    smooth(
        "transpose matrix",
        transpose,
        1,
        Type.f32(33, 65),
        in -> in.get(0).transpose(),
        real(65, 33));
    smooth(
        "transpose rank 4",
        transpose,
        1,
        Type.f32(2, 5, 7, 3),
        in -> in.get(0).transpose(0, 2, 3, 1),
        real(2, 3, 5, 7));
    Class<? extends Op> broadcast = ShapeOp.Broadcast.class;
    broadcast("scalar", Type.f32(), Shape.of(4, 7), broadcast);
    broadcast("rows", Type.f32(4), Shape.of(4, 7), broadcast, 0);
    broadcast("columns", Type.f32(7), Shape.of(4, 7), broadcast, 1);
    broadcast("outer and inner", Type.f32(4, 3), Shape.of(2, 4, 5, 3), broadcast, 1, 3);
    Class<? extends Op> slice = ShapeOp.Slice.class;
    smooth(
        "slice strided",
        slice,
        1,
        Type.f32(2, 3, 4),
        in -> in.get(0).slice(new int[] {1, 0, 2}, new int[] {3, 9, 10}, new int[] {1, 3, 2}),
        real(4, 9, 11));
    smooth("slice one axis", slice, 1, Type.f32(4, 5), in -> in.get(0).slice(1, 3, 8), real(4, 9));
    smooth("slice nothing", slice, 1, Type.f32(4, 0), in -> in.get(0).slice(1, 3, 3), real(4, 9));
    Class<? extends Op> pad = ShapeOp.Pad.class;
    smooth(
        "pad",
        pad,
        1,
        Type.f32(6, 10),
        in -> in.get(0).pad(new int[] {1, 0}, new int[] {2, 3}, new int[] {0, 2}),
        real(3, 3));
    smooth(
        "pad nothing",
        pad,
        1,
        Type.f32(3, 2),
        in -> in.get(0).pad(new int[] {0, 1}, new int[] {0, 1}, new int[] {0, 1}),
        real(3, 0));
    Class<? extends Op> concat = ShapeOp.Concat.class;
    Input a = real(2, 3, 4);
    smooth("concat 0", concat, 1, Type.f32(5, 3, 4), in -> joined(0, in), a, real(3, 3, 4));
    smooth(
        "concat 1",
        concat,
        1,
        Type.f32(2, 8, 4),
        in -> joined(1, in),
        a,
        real(2, 0, 4),
        real(2, 5, 4));
    smooth("concat 2", concat, 1, Type.f32(2, 3, 9), in -> joined(2, in), a, real(2, 3, 5));
  }

  private void broadcast(String name, Type from, Shape to, Class<? extends Op> op, int... axes) {
    Input input = new Input(from, Domain.REAL);
    smooth("broadcast " + name, op, 1, from.with(to), in -> in.get(0).broadcast(to, axes), input);
  }

  private static Expr joined(int axis, List<Expr> in) {
    return Expr.concat(axis, in.toArray(Expr[]::new));
  }

  private void reductions() {
    int[][] axes = {{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}};
    int[] d = {3, 5, 17};
    for (int[] a : axes) {
      Type t = Type.f32(d).with(Shape.of(d).without(a));
      long n = Arrays.stream(a).mapToLong(i -> d[i]).reduce(1, (x, y) -> x * y);
      Class<? extends Op> op = ReduceOp.Reduce.class;
      String over = " over " + Arrays.toString(a);
      smooth("sum" + over, op, n, t, in -> in.get(0).sum(a), real(d));
      Class<? extends Op> spread = ReduceOp.Variance.class;
      smooth("variance" + over, spread, n, t, in -> in.get(0).variance(a), real(d));
      smooth("max" + over, op, 1, t, in -> in.get(0).maxOver(a), distinct(d));
      smooth("min" + over, op, 1, t, in -> in.get(0).minOver(a), distinct(d));
    }
    for (int n : SIZES) {
      smooth("sum " + n, ReduceOp.Reduce.class, n, Type.f32(), in -> in.get(0).sum(), real(n));
      smooth(
          "column sums " + n,
          ReduceOp.Reduce.class,
          3,
          Type.f32(n),
          in -> in.get(0).sum(0),
          real(3, n));
    }
    Smoothness none = Smoothness.NONE;
    row(
        "sum i32",
        ReduceOp.Reduce.class,
        none,
        1,
        Type.i32(),
        in -> in.get(0).sum(),
        new Input(Type.i32(100), Domain.SMALL_INTEGER));
    for (int axis = 0; axis < 3; axis++) {
      int x = axis;
      Type t = Type.i32(Shape.of(d).without(axis).dims());
      row(
          "arg-max " + axis,
          ReduceOp.ArgReduce.class,
          none,
          1,
          t,
          in -> in.get(0).argMax(x),
          distinct(d));
      row(
          "arg-min " + axis,
          ReduceOp.ArgReduce.class,
          none,
          1,
          t,
          in -> in.get(0).argMin(x),
          distinct(d));
      for (ReduceOp.Order order : ReduceOp.Order.values()) {
        String name = order.name().toLowerCase(Locale.ROOT) + " axis " + axis;
        Type sorted = Type.f32(Shape.of(d).with(axis, 2).dims());
        row(
            "arg-sort " + name,
            ReduceOp.ArgSort.class,
            none,
            1,
            sorted.with(DType.I32),
            in -> in.get(0).argSort(x, order, 2),
            distinct(d));
        smooth(
            "sort " + name,
            ReduceOp.ArgSort.class,
            1,
            sorted,
            in -> in.get(0).sorted(x, order, 2),
            distinct(d));
      }
    }
    row(
        "arg-max ties",
        ReduceOp.ArgReduce.class,
        none,
        1,
        Type.i32(7),
        in -> in.get(0).argMax(1),
        new Input(Type.f32(7, 9), Domain.SMALL_INTEGER));
    row(
        "arg-sort ties",
        ReduceOp.ArgSort.class,
        none,
        1,
        Type.i32(7, 9),
        in -> in.get(0).argSort(1, ReduceOp.Order.DESCENDING, 9),
        new Input(Type.f32(7, 9), Domain.SMALL_INTEGER));
  }

  private void contractions() {
    Class<? extends Op> op = ContractOp.Contract.class;
    int[][] sizes = {
      {1, 1, 1}, {3, 5, 7}, {17, 33, 9}, {4, 0, 3}, {64, 31, 16}, {1, 100, 1}, {13, 1, 207}
    };
    for (int[] s : sizes) {
      smooth(
          "matmul %dx%dx%d".formatted(s[0], s[1], s[2]),
          op,
          s[1],
          Type.f32(s[0], s[2]),
          in -> in.get(0).matmul(in.get(1)),
          real(s[0], s[1]),
          real(s[1], s[2]));
    }
    smooth(
        "matmul batched",
        op,
        5,
        Type.f32(3, 4, 2),
        in -> in.get(0).matmul(in.get(1)),
        real(3, 4, 5),
        real(3, 5, 2));
    smooth(
        "matmul vector",
        op,
        5,
        Type.f32(4),
        in -> in.get(0).matmul(in.get(1)),
        real(4, 5),
        real(5));
    smooth(
        "matmul broadcast",
        op,
        4,
        Type.f32(2, 5, 3, 2),
        in -> in.get(0).matmul(in.get(1)),
        real(2, 1, 3, 4),
        real(5, 4, 2));
    smooth("dot", op, 207, Type.f32(), in -> in.get(0).matmul(in.get(1)), real(207), real(207));
    int[] none = {};
    smooth(
        "outer",
        op,
        1,
        Type.f32(3, 5),
        in -> in.get(0).contract(in.get(1), none, none, none, none),
        real(3),
        real(5));
    smooth(
        "contract, axes in any order",
        op,
        35,
        Type.f32(2, 3, 4),
        in ->
            in.get(0)
                .contract(
                    in.get(1), new int[] {1}, new int[] {2}, new int[] {3, 0}, new int[] {0, 3}),
        real(5, 2, 3, 7),
        real(7, 4, 2, 5));
  }

  private record Conv(int[] x, int[] w, Window window, int groups) {}

  private static List<Conv> convs() {
    return List.of(
        new Conv(new int[] {2, 5, 6, 3}, new int[] {3, 3, 3, 4}, Window.of(1, 1), 1),
        new Conv(new int[] {1, 7, 5, 1}, new int[] {3, 3, 1, 17}, Window.of(2, 1), 1),
        new Conv(new int[] {2, 6, 6, 2}, new int[] {1, 1, 2, 3}, Window.of(1, 0), 1),
        // An image smaller than the kernel, and one that is all padding but for a pixel.
        new Conv(new int[] {3, 2, 2, 4}, new int[] {3, 3, 4, 5}, Window.of(2, 1), 1),
        new Conv(new int[] {1, 1, 1, 2}, new int[] {3, 3, 2, 2}, Window.of(1, 1), 1),
        new Conv(new int[] {2, 6, 5, 4}, new int[] {3, 2, 2, 6}, Window.of(1, 1), 2),
        new Conv(new int[] {1, 6, 6, 3}, new int[] {3, 3, 1, 3}, Window.of(1, 1), 3),
        new Conv(
            new int[] {1, 9, 8, 2}, new int[] {3, 2, 2, 3}, new Window(3, 2, 2, 1, 0, 3, 2, 3), 1));
  }

  private void convolutions() {
    for (Conv c : convs()) {
      Shape x = Shape.of(c.x);
      Shape w = Shape.of(c.w);
      Window m = c.window;
      int p = m.outH(x.dim(1), w.dim(0));
      int q = m.outW(x.dim(2), w.dim(1));
      int[] y = {x.dim(0), p, q, w.dim(3)};
      String name = " %s * %s %s groups %d".formatted(x, w, m, c.groups);
      long terms = w.size() / w.dim(3);
      smooth(
          "convolve" + name,
          ConvOp.Convolve.class,
          terms,
          Type.f32(y),
          in -> node(new ConvOp.Convolve(m, c.groups), in.get(0), in.get(1)),
          real(c.x),
          real(c.w));
      smooth(
          "input gradient" + name,
          ConvOp.InputGradient.class,
          w.size() / w.dim(2),
          Type.f32(c.x),
          in -> node(new ConvOp.InputGradient(m, c.groups, x), in.get(0), in.get(1)),
          real(y),
          real(c.w));
      smooth(
          "kernel gradient" + name,
          ConvOp.KernelGradient.class,
          (long) y[0] * p * q,
          Type.f32(c.w),
          in -> node(new ConvOp.KernelGradient(m, c.groups, w), in.get(0), in.get(1)),
          real(c.x),
          real(y));
    }
  }

  private void pooling() {
    List<PoolWindow> windows =
        List.of(
            PoolWindow.square(2),
            new PoolWindow(3, 3, Window.of(2, 1)),
            new PoolWindow(3, 2, new Window(1, 2, 1, 0, 0, 1, 1, 1)),
            new PoolWindow(2, 2, new Window(1, 1, 0, 0, 0, 0, 2, 2)));
    windows.forEach(w -> pooling(w, 2, 7, 5, 3));
    // Whole vectors of channels, even and odd images, windows of up to four taps.
    pooling(PoolWindow.square(2), 2, 4, 6, 16);
    pooling(PoolWindow.square(2), 1, 5, 7, 16);
    pooling(new PoolWindow(1, 3, new Window(1, 3, 0, 0, 0, 0, 1, 1)), 1, 2, 6, 32);
    pooling(new PoolWindow(2, 1, new Window(3, 2, 0, 0, 0, 0, 1, 1)), 1, 6, 3, 16);
    pooling(new PoolWindow(2, 2, new Window(1, 1, 0, 0, 0, 0, 2, 1)), 1, 4, 3, 16);
  }

  private void pooling(PoolWindow w, int... x) {
    int[] y = {x[0], w.move().outH(x[1], w.h()), w.move().outW(x[2], w.w()), x[3]};
    String name = " %dx%d %s of %s".formatted(w.h(), w.w(), w.move(), Shape.of(x));
    row(
        "pool-arg-max" + name,
        PoolOp.PoolArgMax.class,
        Smoothness.NONE,
        1,
        Type.u8(y),
        in -> node(new PoolOp.PoolArgMax(w), in.get(0)),
        distinct(x));
    smooth(
        "max-pool" + name,
        PoolOp.PoolGather.class,
        1,
        Type.f32(y),
        in -> in.get(0).maxPool(w),
        distinct(x));
    smooth(
        "pool-gather" + name,
        PoolOp.PoolGather.class,
        1,
        Type.f32(y),
        in -> node(new PoolOp.PoolGather(w), in.get(0), node(new PoolOp.PoolArgMax(w), in.get(1))),
        real(x),
        distinct(x));
    smooth(
        "pool-scatter" + name,
        PoolOp.PoolScatter.class,
        4,
        Type.f32(x),
        in ->
            node(
                new PoolOp.PoolScatter(w, Shape.of(x)),
                in.get(0),
                node(new PoolOp.PoolArgMax(w), in.get(1))),
        real(y),
        distinct(x));
    long n = (long) w.h() * w.w();
    smooth(
        "pool-sum" + name,
        PoolOp.PoolSum.class,
        n,
        Type.f32(y),
        in -> in.get(0).sumPool(w),
        real(x));
    smooth(
        "pool-sum-gradient" + name,
        PoolOp.PoolSumGradient.class,
        n,
        Type.f32(x),
        in -> node(new PoolOp.PoolSumGradient(w, Shape.of(x)), in.get(0)),
        real(y));
  }

  private void indices() {
    Class<? extends Op> gather = IndexOp.Gather.class;
    smooth(
        "gather rows",
        gather,
        1,
        Type.f32(5, 7),
        in -> in.get(0).gather(0, in.get(1)),
        real(3, 7),
        index(5));
    smooth(
        "gather columns",
        gather,
        1,
        Type.f32(7, 5),
        in -> in.get(0).gather(1, in.get(1)),
        real(7, 3),
        index(5));
    smooth(
        "gather block",
        gather,
        1,
        Type.f32(2, 4, 5, 2),
        in -> in.get(0).gather(1, in.get(1)),
        real(2, 3, 2),
        index(4, 5));
    smooth(
        "gather one",
        gather,
        1,
        Type.f32(7),
        in -> in.get(0).gather(0, in.get(1)),
        real(3, 7),
        index());
    smooth(
        "take along",
        gather,
        1,
        Type.f32(4, 5),
        in -> in.get(0).takeAlong(1, in.get(1)),
        real(4, 3),
        index(4, 5));
    Class<? extends Op> scatter = IndexOp.ScatterAdd.class;
    smooth(
        "scatter rows",
        scatter,
        5,
        Type.f32(3, 7),
        in -> in.get(0).scatterAdd(0, 3, in.get(1)),
        real(5, 7),
        index(5));
    smooth(
        "scatter columns",
        scatter,
        5,
        Type.f32(7, 3),
        in -> in.get(0).scatterAdd(1, 3, in.get(1)),
        real(7, 5),
        index(5));
    smooth(
        "scatter block",
        scatter,
        20,
        Type.f32(2, 3, 2),
        in -> in.get(0).scatterAdd(1, 3, in.get(1)),
        real(2, 4, 5, 2),
        index(4, 5));
  }

  private void random() {
    for (RandomOp.Distribution d : RandomOp.Distribution.values()) {
      DType t = d == RandomOp.Distribution.BITS ? DType.I32 : DType.F32;
      String name = "random " + d.name().toLowerCase(Locale.ROOT);
      Function<List<Expr>, Expr> draw =
          in -> node(new RandomOp.Random(d, Shape.of(5, 13)), in.get(0));
      row(name, RandomOp.Random.class, Smoothness.NONE, 1, Type.of(t, 5, 13), draw, key(2));
      row(
          name + " of keys",
          RandomOp.Random.class,
          Smoothness.NONE,
          1,
          Type.of(t, 3, 5, 13),
          draw,
          key(3, 2));
    }
    Function<List<Expr>, Expr> fold = in -> in.get(0).fold(in.get(1));
    row("fold", RandomOp.Fold.class, Smoothness.NONE, 1, Type.i32(2), fold, key(2), key());
    row(
        "fold of keys",
        RandomOp.Fold.class,
        Smoothness.NONE,
        1,
        Type.i32(3, 2),
        fold,
        key(3, 2),
        key(3));
  }

  private void control() {
    row(
        "stop-gradient",
        ControlOp.StopGradient.class,
        Smoothness.NONE,
        1,
        Type.f32(5),
        in -> in.get(0).stopGradient().mul(2),
        real(5));
    Class<? extends Op> map = ControlOp.Map.class;
    smooth(
        "map",
        map,
        5,
        Type.f32(4, 3),
        in ->
            Vmap.vmapToArray(
                t -> t.get("x").mul(in.get(1)).tanh().add(t.get("x").sum()),
                Tree.of("x", in.get(0))),
        real(4, 3),
        real(3));
    smooth(
        "map of two results",
        ControlOp.Project.class,
        3,
        Type.f32(4),
        in -> {
          Tree<Expr> both =
              Vmap.vmap(
                  t -> Tree.of("a", t.get("x").sin(), "b", t.get("x").matmul(in.get(1))),
                  Tree.of("x", in.get(0)));
          return both.get("a").sum(1).mul(both.get("b").sum(1));
        },
        real(4, 3),
        real(3, 5));
    smooth(
        "map in map",
        map,
        5,
        Type.f32(2, 3),
        in ->
            Vmap.vmapToArray(
                outer ->
                    Vmap.vmapToArray(
                        t -> t.get("x").mul(outer.get("s")).square().sum(),
                        Tree.of("x", outer.get("x"))),
                Tree.of("x", in.get(0), "s", in.get(1))),
        real(2, 3, 5),
        real(2, 5));
    row(
        "loop",
        ControlOp.Loop.class,
        Smoothness.NONE,
        4,
        Type.f32(7),
        in -> Vmap.repeat(4, in.get(0), s -> s.sin().add(in.get(1))),
        real(7),
        real(7));
    row(
        "loop of two states",
        ControlOp.Loop.class,
        Smoothness.NONE,
        4,
        Type.f32(7),
        in ->
            Vmap.repeat(
                    3,
                    Tree.of("a", in.get(0), "b", in.get(1)),
                    (i, s) ->
                        Tree.of(
                            "a", s.get("b").mul(0.5),
                            "b", s.get("a").add(i.cast(DType.F32))))
                .get("b"),
        real(7),
        real(7));
  }
}
