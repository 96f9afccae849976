package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.golden.Runs;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What moves past a maximum pooling, and that values and gradients of two orders stay. */
class PoolRulesTest {
  private static final PoolWindow TWO = PoolWindow.square(2);
  private static final PoolWindow OVERLAPPING = new PoolWindow(3, 3, Window.of(2, 0));
  private static final PoolWindow PADDED = new PoolWindow(2, 2, Window.of(2, 1));
  private static final int[] IMAGES = {3, 6, 4, 2};

  /** Batch norm, ReLU and pooling in the two orders that few-shot networks use. */
  private static Expr normThenRelu(Tree<Expr> w, PoolWindow window) {
    return normalised(w, w.get("x")).relu().maxPool(window);
  }

  private static Expr reluThenNorm(Tree<Expr> w, PoolWindow window) {
    return normalised(w, w.get("x").relu()).maxPool(window);
  }

  private static Expr normalised(Tree<Expr> w, Expr x) {
    Expr mean = x.mean(0, 1, 2);
    Expr scale = x.variance(0, 1, 2).add(0.1).rsqrt().mul(w.get("scale"));
    return x.sub(mean).mul(scale).add(w.get("shift"));
  }

  private static Tree<Type> types() {
    return Tree.of(
        "x",
        Type.of(DType.F64, IMAGES),
        "scale",
        Type.of(DType.F64, 2),
        "shift",
        Type.of(DType.F64, 2));
  }

  private static Map<String, double[]> inputs() {
    Map<String, double[]> in = new LinkedHashMap<>();
    types()
        .paths()
        .forEach((path, type) -> {
          double[] v = new double[(int) type.shape().size()];
          for (int i = 0; i < v.length; i++) {
            v[i] = Key.of(3).fold(path.length()).uniform(i) * 4 - 2;
          }
          in.put(path, v);
        });
    in.put("scale", new double[] {1.5, -0.7}); // a negative one turns the order round
    return in;
  }

  private static Tree<Expr> twice(Tree<Expr> in, Function<Tree<Expr>, Expr> f) {
    Grad.Result second =
        Grad.valueAndGrad(
            w -> {
              Grad.Result first = Grad.valueAndGrad(v -> f.apply(v).tanh().square().sum(), w);
              Expr all = first.value();
              for (Expr g : first.gradient().leaves()) {
                all = all.add(g.square().sum());
              }
              return all;
            },
            in);
    return Tree.of("value", second.value()).with("gradient", second.gradient());
  }

  private static void sameWithAndWithout(String what, Function<Tree<Expr>, Expr> f) {
    Program written = Simplify.without(() -> Program.trace(types(), in -> twice(in, f)));
    Program simple = Program.trace(types(), in -> twice(in, f));
    Map<String, double[]> expected = Runs.reference(written, inputs());
    Runs.reference(simple, inputs())
        .forEach((path, a) -> Runs.assertClose(what + " " + path, a, expected.get(path), 1e-11));
  }

  @Test
  void valuesAndGradientsStay() {
    for (PoolWindow window : new PoolWindow[] {TWO, OVERLAPPING, PADDED}) {
      sameWithAndWithout("norm, relu " + window, w -> normThenRelu(w, window));
      sameWithAndWithout("relu, norm " + window, w -> reluThenNorm(w, window));
    }
  }

  /** Nodes of a program on which the predicate holds. */
  private static long count(Program p, Predicate<Expr> what) {
    Set<Expr> seen = new HashSet<>();
    Deque<Expr> open = new ArrayDeque<>(p.graph().results());
    long n = 0;
    while (!open.isEmpty()) {
      Expr e = open.pop();
      if (seen.add(e)) {
        n += what.test(e) ? 1 : 0;
        open.addAll(e.inputs());
      }
    }
    return n;
  }

  private static boolean sumsImages(Expr e) {
    return (e.op() instanceof ReduceOp.Reduce || e.op() instanceof ReduceOp.Variance)
        && e.input(0).shape().equals(Shape.of(IMAGES));
  }

  /** The first gradient sums over whole images for mean and variance only. */
  @Test
  void theGradientsSumsAreOverTheWinners() {
    Function<Tree<Expr>, Tree<Expr>> gradient =
        in -> Grad.grad(w -> normThenRelu(w, TWO).square().sum(), in);
    Program simple = Program.trace(types(), gradient::apply);
    Program written = Simplify.without(() -> Program.trace(types(), gradient::apply));
    assertThat(count(simple, PoolRulesTest::sumsImages)).isEqualTo(2);
    assertThat(count(written, PoolRulesTest::sumsImages)).isGreaterThan(2);
  }

  @Test
  void whatIsGatheredIsTheArrayBehindTheFunctions() {
    Program p = Program.trace(types(), w -> Tree.of("y", normThenRelu(w, TWO)));
    Predicate<Expr> gather = e -> e.op() instanceof PoolOp.PoolGather;
    assertThat(count(p, gather)).isEqualTo(1);
    assertThat(count(p, e -> gather.test(e) && e.input(0).op() instanceof LeafOp.Parameter))
        .isEqualTo(1);
    // Over padding an offset names nothing: f(0) would have to be 0.
    Program padded = Program.trace(types(), w -> Tree.of("y", normThenRelu(w, PADDED)));
    assertThat(count(padded, e -> gather.test(e) && e.input(0).op() instanceof LeafOp.Parameter))
        .isZero();
  }

  @Test
  void aGatherFromItsOwnScatterIsWhatWasScattered() {
    Expr x = Expr.parameter(1, "x", Type.of(DType.F64, IMAGES));
    Expr at = Expr.of(new PoolOp.PoolArgMax(TWO), List.of(x));
    Expr g = Expr.parameter(2, "g", Type.of(DType.F64, 3, 3, 2, 2));
    Expr s = Expr.of(new PoolOp.PoolScatter(TWO, x.shape()), List.of(g, at));
    Op gather = new PoolOp.PoolGather(TWO);
    assertThat(Expr.of(gather, List.of(s, at))).isSameAs(g);
    assertThat(s.add(s.mul(2)).op()).isEqualTo(s.op());
    assertThat(s.add(x).op()).isInstanceOf(ElementOp.class);
    assertThat(s.add(1).op()).as("not 0 elsewhere").isInstanceOf(ElementOp.class);
  }
}
