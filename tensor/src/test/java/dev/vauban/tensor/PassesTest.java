package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the passes remove; that they keep the values is {@link RewriteTest}'s business. */
class PassesTest {
  private static Graph optimised(
      Tree<Type> types, java.util.function.Function<Tree<Expr>, Expr> f) {
    return Passes.optimise(Program.trace(types, in -> Tree.of("y", f.apply(in))).graph());
  }

  private static List<ControlOp.Map> maps(Graph g) {
    return g.nodes().stream()
        .filter(e -> e.op() instanceof ControlOp.Map)
        .map(e -> (ControlOp.Map) e.op())
        .toList();
  }

  @Test
  void theGradientOfAMapSharesItsForwardPass() {
    Graph g =
        optimised(
            Tree.of("x", Type.f32(4, 3)),
            in ->
                Grad.grad(
                    x -> Vmap.vmapToArray(t -> t.value().exp().sum(), Tree.leaf(x)).square().sum(),
                    in.get("x")));
    // The gradient needs the sums of the exponentials: two Maps, since the second needs the first.
    assertThat(maps(g)).hasSize(2);
    Graph linear =
        optimised(
            Tree.of("x", Type.f32(4, 3)),
            in -> {
              Grad.Result r =
                  Grad.valueAndGrad(
                      x -> Vmap.vmapToArray(t -> t.value().exp().sum(), x).sum(),
                      Tree.leaf(in.get("x")));
              return r.gradient().value().mul(r.value());
            });
    assertThat(maps(linear)).hasSize(1);
    assertThat(maps(linear).getFirst().body().nodes())
        .filteredOn(e -> e.op() instanceof ElementOp.Pointwise p && p.fn() == ScalarFn.EXP)
        .as("one exponential serves the value and the gradient")
        .hasSize(1);
  }

  @Test
  void whatADroppedResultNeededIsDroppedToo() {
    Graph g =
        optimised(
            Tree.of("x", Type.f32(4, 3)),
            in -> {
              Tree<Expr> first =
                  Vmap.vmap(
                      t -> Tree.of("a", t.value().sin(), "b", t.value().exp()),
                      Tree.leaf(in.get("x")));
              // Sums over all elements keep the two Maps apart.
              Expr shift = first.get("a").sum();
              Tree<Expr> second =
                  Vmap.vmap(
                      t -> Tree.of("c", t.get("a").mul(shift), "d", t.get("b").mul(shift)), first);
              return second.get("c").sum();
            });
    assertThat(maps(g)).hasSize(2);
    for (ControlOp.Map m : maps(g)) {
      assertThat(m.body().results()).hasSize(1);
      assertThat(m.body().nodes())
          .noneMatch(e -> e.op() instanceof ElementOp.Pointwise p && p.fn() == ScalarFn.EXP);
    }
  }

  @Test
  void aNegatedConstantMultipleIsOneMultiplication() {
    Expr x = Expr.parameter(1, "x", Type.f32(3));
    assertThat(x.mul(0.5).neg()).isSameAs(x.mul(-0.5));
    assertThat(x.neg().neg()).isSameAs(x);
  }

  @Test
  void equalValuesOnBothSidesOfAStoppedGradientMeet() {
    Graph g =
        optimised(
            Tree.of("x", Type.f32(3)),
            in -> in.get("x").exp().add(in.get("x").stopGradient().exp()));
    assertThat(g.nodes())
        .filteredOn(e -> e.op() instanceof ElementOp.Pointwise p && p.fn() == ScalarFn.EXP)
        .hasSize(1);
  }

  @Test
  void aTransposedProductIsTheProductTheOtherWayRound() {
    Expr a = Expr.parameter(1, "a", Type.f32(4, 2, 3));
    Expr b = Expr.parameter(2, "b", Type.f32(4, 3, 5));
    Expr y = a.matmul(b).transpose(0, 2, 1);
    assertThat(y.op()).isInstanceOf(ContractOp.Contract.class);
    assertThat(y.inputs()).containsExactly(b, a);
    assertThat(y.shape()).isEqualTo(Shape.of(4, 5, 2));
    assertThat(a.matmul(b).transpose(1, 0, 2).op()).isInstanceOf(ShapeOp.Transpose.class);
  }

  @Test
  void theGradientOfAMatrixProductTransposesNothing() {
    Graph g =
        optimised(
            Tree.of("a", Type.f32(4, 3), "b", Type.f32(3, 5)),
            in -> {
              Tree<Expr> d = Grad.grad(x -> x.get("a").matmul(x.get("b")).square().sum(), in);
              return d.get("a").sum().add(d.get("b").sum());
            });
    assertThat(g.nodes()).noneMatch(e -> e.op() instanceof ShapeOp.Transpose);
  }
}
