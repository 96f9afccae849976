package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.Runs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What every operation means: types, gradients against finite differences, mapping. */
class OpCaseTest {
  private static final long SEED = 20240607;

  /** Elements beyond which finite differences and mapping show nothing new. */
  private static final long SMALL = 1500;

  /** Mapped over this many elements. */
  private static final int ELEMENTS = 3;

  private static Stream<DynamicTest> each(
      Stream<OpCase> rows, java.util.function.Consumer<OpCase> test) {
    return rows.map(c -> DynamicTest.dynamicTest(c.name(), () -> test.accept(c)));
  }

  private static Stream<OpCase> small() {
    return OpCases.all()
        .filter(c -> c.inputs().stream().allMatch(i -> i.type().shape().size() <= SMALL));
  }

  private static Stream<OpCase> smooth() {
    return small().filter(c -> c.smoothness() == OpCase.Smoothness.TWICE);
  }

  @Test
  void everyOperationHasARow() {
    Set<Class<?>> records = new HashSet<>();
    collect(Op.class, records);
    Set<Class<?>> covered = new HashSet<>();
    OpCases.all().forEach(c -> covered.add(c.op()));
    // A tuple only passes several values through the batching of a program; a row could not keep
    // it, since reading one of its values gives that value.
    covered.add(ControlOp.Tuple.class);
    assertThat(covered).isEqualTo(records);
  }

  private static void collect(Class<?> type, Set<Class<?>> records) {
    if (type.isRecord()) {
      records.add(type);
    } else {
      for (Class<?> c : type.getPermittedSubclasses()) {
        collect(c, records);
      }
    }
  }

  @Test
  void everyScalarFunctionHasARow() {
    Set<ScalarFn> covered = new HashSet<>();
    OpCases.all()
        .forEach(c ->
            nodes(c)
                .forEach(e -> {
                  if (e.op() instanceof ElementOp.Pointwise p) {
                    covered.add(p.fn());
                  }
                }));
    assertThat(covered).containsExactlyInAnyOrder(ScalarFn.values());
  }

  @Test
  void namesAreUnique() {
    List<String> names = OpCases.all().map(OpCase::name).toList();
    assertThat(names).doesNotHaveDuplicates();
  }

  @Test
  void aTupleReadAtOnceVanishes() {
    Expr a = Expr.parameter(1, "a", Type.f32(2));
    Expr b = Expr.parameter(2, "b", Type.f32(3));
    assertThat(Expr.of(new ControlOp.Project(1), List.of(Expr.tuple(List.of(a, b))))).isSameAs(b);
  }

  private static List<Expr> nodes(OpCase c) {
    return c.program().graph().nodes();
  }

  @TestFactory
  Stream<DynamicTest> typesAndNodes() {
    return each(
        OpCases.all(),
        c -> {
          assertThat(c.program().outputs().get("y")).isEqualTo(c.expected());
          // Simplification may remove an operation on an empty or single element.
          if (c.expected().shape().size() > 1) {
            assertThat(nodes(c)).anyMatch(e -> c.op().isInstance(e.op()));
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> firstGradient() {
    return each(smooth(), c -> gradient(c, 1));
  }

  @TestFactory
  Stream<DynamicTest> secondGradient() {
    return each(smooth(), c -> gradient(c, 2));
  }

  /**
   * With s(x) = sum f(x) c for a random c, compares the derivative of s (order 1), or of the
   * derivative of s along v (order 2), along a random direction u with a central difference.
   */
  private static void gradient(OpCase c, int order) {
    Tree<Type> point = c.types();
    Tree<Type> types =
        Tree.<Type>empty()
            .with("x", point)
            .with("v", point)
            .with("u", point)
            .with("c", c.expected());
    Program value = Program.trace(types, in -> Tree.of("s", scalar(c, in, in.sub("x"), order - 1)));
    Program slope = Program.trace(types, in -> Tree.of("s", scalar(c, in, in.sub("x"), order)));
    List<double[]> x = c.values(SEED);
    List<double[]> u = directions(c, 1);
    List<double[]> v = order == 1 ? u : directions(c, 2);
    double[] weight = OpCase.Domain.REAL.values(Key.of(5), (int) c.expected().shape().size());
    // The derivative along u is what `scalar` computes with v = u at the last order.
    double analytic = evaluate(slope, x, v, u, weight);
    double h = 1e-5;
    double ahead = evaluate(value, moved(x, u, h), v, u, weight);
    double behind = evaluate(value, moved(x, u, -h), v, u, weight);
    double numeric = (ahead - behind) / (2 * h);
    // Truncation is h^2 times the next derivative, rounding 1e-16 / h times the value.
    double allowed = 2e-7 * (1 + Math.abs(numeric) + Math.abs(ahead));
    assertThat(analytic).isCloseTo(numeric, org.assertj.core.data.Offset.offset(allowed));
  }

  /** Order 0: sum f c. Order 1: its slope along v (or u at the last order). Order 2: along v, u. */
  private static Expr scalar(OpCase c, Tree<Expr> in, Tree<Expr> x, int order) {
    if (order == 0) {
      return c.f().apply(x.leaves()).mul(in.get("c")).sum();
    }
    Tree<Expr> g = Grad.grad(at -> scalar(c, in, at, order - 1), x);
    Tree<Expr> along = in.sub(order == 1 ? "v" : "u");
    Expr sum = Expr.scalar(0);
    for (int i = 0; i < g.size(); i++) {
      Expr d = g.leaves().get(i);
      if (d.dtype().isFloat()) {
        sum = sum.add(d.mul(along.leaves().get(i)).sum());
      }
    }
    return sum;
  }

  private static List<double[]> directions(OpCase c, int seed) {
    List<double[]> out = new ArrayList<>();
    for (int i = 0; i < c.inputs().size(); i++) {
      OpCase.Input in = c.inputs().get(i);
      int n = (int) in.type().shape().size();
      // Masks and indices stay where they are: nothing is smooth in them.
      boolean fixed = !in.type().dtype().isFloat() || in.domain() == OpCase.Domain.MASK;
      out.add(fixed ? new double[n] : OpCase.Domain.UNIT.values(Key.of(seed).fold(i), n));
    }
    return out;
  }

  private static List<double[]> moved(List<double[]> x, List<double[]> u, double h) {
    List<double[]> out = new ArrayList<>();
    for (int i = 0; i < x.size(); i++) {
      double[] y = x.get(i).clone();
      for (int k = 0; k < y.length; k++) {
        y[k] += h * u.get(i)[k];
      }
      out.add(y);
    }
    return out;
  }

  private static double evaluate(
      Program p, List<double[]> x, List<double[]> v, List<double[]> u, double[] c) {
    List<double[]> all = new ArrayList<>(x);
    all.addAll(v);
    all.addAll(u);
    all.add(c);
    return Reference.evaluate(p.graph(), all).getFirst()[0];
  }

  /** Every choice of which inputs are mapped: a Map node equals a loop over its elements. */
  @TestFactory
  Stream<DynamicTest> mapping() {
    return each(small(), c -> subsets(c).forEach(mapped -> mapping(c, mapped)));
  }

  /** The batched form of each operation, from its batching rule, equals the Map node. */
  @TestFactory
  Stream<DynamicTest> batching() {
    return each(small(), c -> subsets(c).forEach(mapped -> batching(c, mapped)));
  }

  /** The gradient of a Map is the Map of the gradients, summed where an input is shared. */
  @TestFactory
  Stream<DynamicTest> gradientOfMapping() {
    return each(smooth(), c -> subsets(c).forEach(mapped -> gradientOfMapping(c, mapped)));
  }

  private static Stream<boolean[]> subsets(OpCase c) {
    int n = c.inputs().size();
    List<boolean[]> out = new ArrayList<>();
    for (int bits = 1; bits < 1 << n; bits++) {
      boolean[] mapped = new boolean[n];
      for (int i = 0; i < n; i++) {
        mapped[i] = (bits >> i & 1) != 0;
      }
      out.add(mapped);
    }
    return out.stream();
  }

  private static Tree<Type> batched(OpCase c, boolean[] mapped) {
    int[] i = {0};
    return c.types().map(t -> mapped[i[0]++] ? t.with(t.shape().prepend(ELEMENTS)) : t);
  }

  private static Expr mapped(OpCase c, boolean[] mapped, List<Expr> in) {
    Tree<Expr> xs = Tree.empty();
    for (int i = 0; i < mapped.length; i++) {
      if (mapped[i]) {
        xs = xs.with(Integer.toString(i), in.get(i));
      }
    }
    return Vmap.vmapToArray(
        t -> {
          List<Expr> args = new ArrayList<>(in);
          t.children().forEach((i, e) -> args.set(Integer.parseInt(i), e.value()));
          return c.f().apply(args);
        },
        xs);
  }

  /** Values of the mapped inputs for all elements, and of the others once. */
  private static List<double[]> values(OpCase c, boolean[] mapped) {
    List<double[]> out = new ArrayList<>();
    for (int i = 0; i < mapped.length; i++) {
      if (!mapped[i]) {
        out.add(c.values(SEED).get(i));
        continue;
      }
      List<double[]> parts = new ArrayList<>();
      for (int k = 0; k < ELEMENTS; k++) {
        parts.add(c.values(SEED + k).get(i));
      }
      out.add(parts.stream().flatMapToDouble(Arrays::stream).toArray());
    }
    return out;
  }

  private static void mapping(OpCase c, boolean[] mapped) {
    Program p =
        Program.trace(batched(c, mapped), in -> Tree.of("y", mapped(c, mapped, in.leaves())));
    double[] actual = Reference.evaluate(p.graph(), values(c, mapped)).getFirst();
    Runs.assertClose(c + " mapped " + Arrays.toString(mapped), actual, loop(c, mapped), 0);
  }

  private static double[] loop(OpCase c, boolean[] mapped) {
    Program one = c.program();
    List<double[]> parts = new ArrayList<>();
    for (int k = 0; k < ELEMENTS; k++) {
      List<double[]> args = new ArrayList<>();
      for (int i = 0; i < mapped.length; i++) {
        args.add(c.values(mapped[i] ? SEED + k : SEED).get(i));
      }
      parts.add(Reference.evaluate(one.graph(), args).getFirst());
    }
    return parts.stream().flatMapToDouble(Arrays::stream).toArray();
  }

  private static void batching(OpCase c, boolean[] mapped) {
    Program p =
        Program.trace(batched(c, mapped), in -> Tree.of("y", mapped(c, mapped, in.leaves())));
    List<Expr> expanded = expand(p.graph().results());
    double[] actual =
        Reference.evaluate(new Graph(p.graph().params(), expanded), values(c, mapped)).getFirst();
    assertThat(Graph.reachable(expanded)).noneMatch(e -> e.op() instanceof ControlOp.Map);
    // Sums may run in another order.
    Runs.assertClose(c + " batched " + Arrays.toString(mapped), actual, loop(c, mapped), 1e-13);
  }

  /** The results with every Map node replaced by its batched operations. */
  private static List<Expr> expand(List<Expr> results) {
    java.util.Map<Expr, List<Expr>> done = new java.util.HashMap<>();
    for (Expr e : Graph.reachable(results)) {
      List<Expr> in = e.inputs().stream().map(x -> done.get(x).getFirst()).toList();
      done.put(
          e,
          switch (e.op()) {
            case ControlOp.Map m -> expand(Vmap.expand(m.body(), m.size(), m.mapped(), in));
            case ControlOp.Project p -> List.of(done.get(e.input(0)).get(p.index()));
            case LeafOp l -> List.of(e);
            default -> {
              Expr same = Expr.of(e.op(), in);
              yield same.types().size() == 1
                  ? List.of(same)
                  : java.util.stream.IntStream.range(0, same.types().size())
                      .mapToObj(i -> Expr.of(new ControlOp.Project(i), List.of(same)))
                      .toList();
            }
          });
    }
    return results.stream().map(r -> done.get(r).getFirst()).toList();
  }

  private static void gradientOfMapping(OpCase c, boolean[] mapped) {
    Type y = c.expected();
    Tree<Type> types =
        Tree.<Type>empty()
            .with("x", batched(c, mapped))
            .with("c", y.with(y.shape().prepend(ELEMENTS)));
    Program p =
        Program.trace(
            types,
            in ->
                Grad.grad(x -> mapped(c, mapped, x.leaves()).mul(in.get("c")).sum(), in.sub("x")));
    Program one =
        Program.trace(
            Tree.<Type>empty().with("x", c.types()).with("c", y),
            in -> Grad.grad(x -> c.f().apply(x.leaves()).mul(in.get("c")).sum(), in.sub("x")));
    int n = (int) y.shape().size();
    double[] weights = OpCase.Domain.REAL.values(Key.of(9), ELEMENTS * n);
    List<double[]> args = values(c, mapped);
    args.add(weights);
    List<double[]> actual = Reference.evaluate(p.graph(), args);
    List<double[]> expected = new ArrayList<>();
    actual.forEach(a -> expected.add(new double[a.length]));
    for (int k = 0; k < ELEMENTS; k++) {
      List<double[]> element = new ArrayList<>();
      for (int i = 0; i < mapped.length; i++) {
        element.add(c.values(mapped[i] ? SEED + k : SEED).get(i));
      }
      element.add(Arrays.copyOfRange(weights, k * n, (k + 1) * n));
      List<double[]> g = Reference.evaluate(one.graph(), element);
      for (int i = 0; i < g.size(); i++) {
        for (int j = 0; j < g.get(i).length; j++) {
          expected.get(i)[mapped[i] ? k * g.get(i).length + j : j] += g.get(i)[j];
        }
      }
    }
    for (int i = 0; i < actual.size(); i++) {
      String what = c + " gradient " + i + ", mapped " + Arrays.toString(mapped);
      Runs.assertClose(what, actual.get(i), expected.get(i), 1e-12);
    }
  }
}
