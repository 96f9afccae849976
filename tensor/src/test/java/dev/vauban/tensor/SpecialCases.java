package dev.vauban.tensor;

import dev.vauban.tensor.OpCase.Domain;
import dev.vauban.tensor.OpCase.Input;
import dev.vauban.tensor.OpCase.Smoothness;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.ReduceOp.Order;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Operations on NaN, infinities, zeros of both signs, subnormals and numbers that a result's type
 * cannot hold. The reference says what is right; its definitions are in the operations' comments.
 */
public final class SpecialCases {
  private final List<OpCase> rows = new ArrayList<>();

  private SpecialCases() {}

  /** All rows; backends must agree with the reference on them. */
  public static Stream<OpCase> all() {
    SpecialCases table = new SpecialCases();
    table.pointwise();
    table.chains();
    table.casts();
    table.reductions();
    table.orders();
    table.products();
    table.pooling();
    table.indices();
    return table.rows.stream();
  }

  private void row(
      String name,
      Class<? extends Op> op,
      long terms,
      Type expected,
      Function<List<Expr>, Expr> f,
      Input... inputs) {
    rows.add(
        new OpCase(
            name + " special",
            op,
            List.of(inputs),
            expected,
            Smoothness.NONE,
            name.startsWith("pow") ? 32 : 8,
            terms,
            f));
  }

  private static Input input(Domain domain, int... dims) {
    return new Input(Type.f32(dims), domain);
  }

  private static Input input(DType type, Domain domain, int... dims) {
    return new Input(Type.of(type, dims), domain);
  }

  private void pointwise() {
    for (ScalarFn fn : ScalarFn.values()) {
      Input[] inputs = new Input[fn.arity()];
      Arrays.fill(inputs, input(Domain.SPECIAL, 361));
      row(
          fn.name().toLowerCase(Locale.ROOT),
          ElementOp.Pointwise.class,
          1,
          Type.f32(361),
          in -> Expr.of(new ElementOp.Pointwise(fn), in),
          inputs);
    }
  }

  private void chain(String name, Function<Expr, Expr> f) {
    Function<List<Expr>, Expr> first = in -> f.apply(in.getFirst());
    Type t = Type.f32(361);
    row(name, ElementOp.Pointwise.class, 1, t, first, input(Domain.SPECIAL, 361));
  }

  /** What backends treat apart: known numbers, and comparisons that are only ever conditions. */
  private void chains() {
    for (double limit : new double[] {0, -0.0, 1, -1, 0.5, Float.MAX_VALUE}) {
      chain("max " + limit, x -> x.max(limit));
      chain("min " + limit, x -> x.min(limit));
      chain("less than " + limit, x -> x.lt(limit));
      chain("at most " + limit, x -> x.le(limit));
      chain("equal " + limit, x -> x.eq(limit));
      chain("not equal " + limit, x -> x.ne(Expr.fill(x.type(), limit)));
    }
    for (double limit : new double[] {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
      chain("max " + limit, x -> x.max(limit));
      chain("min " + limit, x -> x.min(limit));
    }
    chain("max NaN", x -> x.max(Double.NaN));
    chain("min NaN", x -> x.min(Double.NaN));
    chain("clamp 0 to 1", x -> x.clamp(0, 1));
    chain("clamp -0 to 0", x -> x.clamp(-0.0, 0));
    chain("clamp 1 to 0", x -> x.clamp(1, 0));
    chain("clamp to infinity", x -> x.clamp(0, Double.POSITIVE_INFINITY));
    for (double e : new double[] {-2, -1, -0.5, 0, 0.5, 1, 2, 3}) {
      chain("pow " + e, x -> x.pow(e));
    }
    for (double d : new double[] {3, -0.5, (float) 1e-40, (float) 1e38, Double.POSITIVE_INFINITY}) {
      chain("div by " + d, x -> x.div(d));
    }
    Input x = input(Domain.SPECIAL, 361);
    Class<? extends Op> op = ElementOp.Pointwise.class;
    Type t = Type.f32(361);
    row("select by order", op, 1, t, in -> choice(in, in.get(0).lt(in.get(1))), x, x);
    row("select by equality", op, 1, t, in -> choice(in, in.get(0).eq(in.get(1))), x, x);
    row("select by difference", op, 1, t, in -> choice(in, in.get(0).ne(in.get(1))), x, x);
    row("select by number", op, 1, t, in -> choice(in, in.get(2)), x, x, x);
    row("clamp between arrays", op, 1, t, in -> in.get(0).clamp(in.get(1), in.get(2)), x, x, x);
  }

  private static Expr choice(List<Expr> in, Expr mask) {
    return Expr.select(mask, in.get(0), in.get(1));
  }

  private void casts() {
    for (DType from : DType.values()) {
      for (DType to : DType.values()) {
        if (from != to) {
          Domain domain =
              from.isFloat() ? Domain.SPECIAL : from == DType.U8 ? Domain.BYTE : Domain.BITS;
          row(
              "cast %s-%s".formatted(from.label(), to.label()),
              ElementOp.Cast.class,
              1,
              Type.of(to, 361),
              in -> in.getFirst().cast(to),
              input(from, domain, 361));
        }
      }
    }
    // Numbers that only F64 holds.
    for (DType to : List.of(DType.F32, DType.BF16, DType.I32, DType.U8)) {
      row(
          "cast f64-%s of 1e300 x".formatted(to.label()),
          ElementOp.Cast.class,
          1,
          Type.of(to, 361),
          in -> in.getFirst().mul(1e300).cast(to),
          input(DType.F64, Domain.SPECIAL, 361));
    }
  }

  private void reductions() {
    int[][] axes = {{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}};
    int[] d = {5, 6, 35};
    Class<? extends Op> op = ReduceOp.Reduce.class;
    for (int[] a : axes) {
      Type t = Type.f32(Shape.of(d).without(a).dims());
      long n = Arrays.stream(a).mapToLong(i -> d[i]).reduce(1, (x, y) -> x * y);
      String over = " over " + Arrays.toString(a);
      for (Domain domain : List.of(Domain.SPECIAL, Domain.NUMBER, Domain.SPARSE)) {
        String name = over + " of " + domain;
        row("max" + name, op, 1, t, in -> in.get(0).maxOver(a), input(domain, d));
        row("min" + name, op, 1, t, in -> in.get(0).minOver(a), input(domain, d));
      }
      row("sum" + over, op, n, t, in -> in.get(0).sum(a), input(Domain.SPARSE, d));
      row(
          "sum beyond the largest" + over,
          op,
          n,
          t,
          in -> in.get(0).abs().max(1e38).sum(a),
          input(Domain.NUMBER, d));
    }
  }

  private void orders() {
    int[] d = {4, 11, 19};
    for (int axis = 0; axis < 3; axis++) {
      int a = axis;
      for (DType type : DType.values()) {
        List<Domain> domains =
            type.isFloat()
                ? List.of(Domain.SPECIAL, Domain.NUMBER, Domain.SPARSE)
                : List.of(type == DType.U8 ? Domain.BYTE : Domain.BITS);
        for (Domain domain : domains) {
          String name = " of %s %s axis %d".formatted(type.label(), domain, axis);
          Input x = input(type, domain, d);
          Class<? extends Op> op = ReduceOp.ArgReduce.class;
          Type t = Type.i32(Shape.of(d).without(a).dims());
          row("arg-max" + name, op, 1, t, in -> in.get(0).argMax(a), x);
          row("arg-min" + name, op, 1, t, in -> in.get(0).argMin(a), x);
          for (Order order : Order.values()) {
            // A few of many and all of them are sorted in different ways.
            for (int k : new int[] {2, d[a]}) {
              row(
                  "arg-sort " + order + " " + k + name,
                  ReduceOp.ArgSort.class,
                  1,
                  Type.i32(Shape.of(d).with(a, k).dims()),
                  in -> in.get(0).argSort(a, order, k),
                  x);
            }
          }
        }
      }
      for (Order order : Order.values()) {
        row(
            "sort " + order + " axis " + axis,
            ReduceOp.ArgSort.class,
            1,
            Type.f32(d),
            in -> in.get(0).sorted(a, order, d[a]),
            input(Domain.SPECIAL, d));
      }
    }
  }

  private void products() {
    Class<? extends Op> op = ContractOp.Contract.class;
    for (int[] s : new int[][] {{1, 7, 1}, {5, 9, 33}, {17, 33, 9}, {64, 31, 16}, {13, 1, 207}}) {
      row(
          "matmul %dx%dx%d".formatted(s[0], s[1], s[2]),
          op,
          s[1],
          Type.f32(s[0], s[2]),
          in -> in.get(0).matmul(in.get(1)),
          input(Domain.SPARSE, s[0], s[1]),
          input(Domain.SPARSE, s[1], s[2]));
    }
    Window same = Window.of(1, 1);
    convolution("same", new int[] {2, 6, 5, 3}, new int[] {3, 3, 3, 18}, same, 1);
    convolution("strided", new int[] {2, 7, 7, 4}, new int[] {3, 3, 4, 5}, Window.of(2, 1), 1);
    convolution("groups", new int[] {1, 6, 6, 4}, new int[] {3, 3, 2, 6}, same, 2);
    convolution("1x1", new int[] {2, 5, 5, 3}, new int[] {1, 1, 3, 4}, Window.of(1, 0), 1);
    convolution("valid", new int[] {1, 8, 8, 2}, new int[] {3, 3, 2, 17}, Window.of(1, 0), 1);
  }

  /** The kernel, and in its gradients gy, is finite: it meets padding, and 0 * infinity is NaN. */
  private void convolution(String name, int[] x, int[] w, Window v, int groups) {
    int[] y = {x[0], v.outH(x[1], w[0]), v.outW(x[2], w[1]), w[3]};
    long terms = (long) w[0] * w[1] * w[2];
    row(
        "convolve " + name,
        ConvOp.Convolve.class,
        terms,
        Type.f32(y),
        in -> Expr.of(new ConvOp.Convolve(v, groups), in),
        input(Domain.SPARSE, x),
        input(Domain.REAL, w));
    row(
        "input gradient " + name,
        ConvOp.InputGradient.class,
        (long) w[0] * w[1] * w[3],
        Type.f32(x),
        in -> Expr.of(new ConvOp.InputGradient(v, groups, Shape.of(x)), in),
        input(Domain.SPARSE, y),
        input(Domain.REAL, w));
    row(
        "kernel gradient " + name,
        ConvOp.KernelGradient.class,
        (long) y[0] * y[1] * y[2],
        Type.f32(w),
        in -> Expr.of(new ConvOp.KernelGradient(v, groups, Shape.of(w)), in),
        input(Domain.SPARSE, x),
        input(Domain.REAL, y));
  }

  private void pooling() {
    List<PoolWindow> windows =
        List.of(
            PoolWindow.square(2),
            new PoolWindow(3, 3, Window.of(2, 1)),
            new PoolWindow(2, 2, Window.of(1, 0)),
            // Rows -1 and 2, then 0 and 3, of images of two rows: the first lies over padding.
            new PoolWindow(2, 1, new Window(1, 1, 1, 2, 0, 0, 3, 1)));
    for (int channels : new int[] {3, 32, 35}) {
      for (PoolWindow w : windows) {
        int columns = channels == 32 ? 6 : 5; // windows of two cover one of them exactly
        pooling(w, new int[] {2, w.move().dilationH() > 1 ? 2 : 6, columns, channels});
      }
    }
  }

  private void pooling(PoolWindow w, int[] x) {
    int[] y = {x[0], w.move().outH(x[1], w.h()), w.move().outW(x[2], w.w()), x[3]};
    Type offsets = Type.u8(y);
    for (Domain domain : List.of(Domain.SPECIAL, Domain.NUMBER, Domain.SPARSE)) {
      String name = " %dx%d %s of %s %s".formatted(w.h(), w.w(), w.move(), domain, Shape.of(x));
      row(
          "pool-arg-max" + name,
          PoolOp.PoolArgMax.class,
          1,
          offsets,
          in -> Expr.of(new PoolOp.PoolArgMax(w), in),
          input(domain, x));
      row(
          "max-pool" + name,
          PoolOp.PoolGather.class,
          1,
          Type.f32(y),
          in -> in.get(0).maxPool(w),
          input(domain, x));
      row(
          "max-pool gradient" + name,
          PoolOp.PoolScatter.class,
          4,
          Type.f32(x),
          in -> Grad.grad(z -> z.maxPool(w).mul(in.get(1)).sum(), in.get(0)),
          input(domain, x),
          input(Domain.SPARSE, y));
    }
    String name = " %dx%d %s of %s".formatted(w.h(), w.w(), w.move(), Shape.of(x));
    // Offsets that are no position of the window, or lie over padding, mean nothing: 0.
    for (Domain domain : List.of(Domain.INDEX_BELOW_3, Domain.BYTE)) {
      Input at = new Input(offsets, domain);
      row(
          "pool-gather at " + domain + name,
          PoolOp.PoolGather.class,
          1,
          Type.f32(y),
          in -> Expr.of(new PoolOp.PoolGather(w), in),
          input(Domain.SPECIAL, x),
          at);
      row(
          "pool-scatter at " + domain + name,
          PoolOp.PoolScatter.class,
          4,
          Type.f32(x),
          in -> Expr.of(new PoolOp.PoolScatter(w, Shape.of(x)), in),
          input(Domain.SPARSE, y),
          at);
    }
    Class<? extends Op> sum = PoolOp.PoolSum.class;
    long n = (long) w.h() * w.w();
    Input sparse = input(Domain.SPARSE, x);
    row("pool-sum" + name, sum, n, Type.f32(y), in -> in.get(0).sumPool(w), sparse);
    row(
        "pool-sum-gradient" + name,
        PoolOp.PoolSumGradient.class,
        n,
        Type.f32(x),
        in -> Expr.of(new PoolOp.PoolSumGradient(w, Shape.of(x)), in),
        input(Domain.SPARSE, y));
  }

  private void indices() {
    Input at = input(DType.I32, Domain.INDEX_BELOW_3, 5);
    row(
        "gather rows",
        IndexOp.Gather.class,
        1,
        Type.f32(5, 35),
        in -> in.get(0).gather(0, in.get(1)),
        input(Domain.SPECIAL, 3, 35),
        at);
    row(
        "scatter rows",
        IndexOp.ScatterAdd.class,
        5,
        Type.f32(3, 35),
        in -> in.get(0).scatterAdd(0, 3, in.get(1)),
        input(Domain.SPARSE, 5, 35),
        at);
  }
}
