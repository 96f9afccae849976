package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.backend.reference.ReferenceDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrecisionTest {
  private static final Window SAME = Window.of(1, 1);

  private static Expr net(Tree<Expr> w, Expr x) {
    Expr h = x.convolve(w.get("first"), SAME, 1).tanh();
    h = h.convolve(w.get("second"), SAME, 1).tanh();
    return h.square().mean();
  }

  private static final Tree<Type> TYPES =
      Tree.of("x", Type.f32(2, 5, 6, 3))
          .with(
              "w", Tree.of("first", Type.f32(3, 3, 3, 16)).with("second", Type.f32(3, 3, 16, 16)));

  /** The gradient of the squared gradient: convolutions of all three kinds, in every order. */
  private static Tree<Expr> secondOrder(Tree<Expr> in) {
    return Grad.grad(
        v ->
            Grad.grad(u -> net(u, in.get("x")), v).map(g -> g.square().sum()).leaves().stream()
                .reduce(Expr::add)
                .orElseThrow(),
        in.sub("w"));
  }

  private static List<Expr> nodes(Graph g) {
    List<Expr> all = new ArrayList<>(g.nodes());
    for (Expr e : g.nodes()) {
      switch (e.op()) {
        case ControlOp.Map m -> all.addAll(nodes(m.body()));
        case ControlOp.Loop l -> all.addAll(nodes(l.body()));
        default -> {}
      }
    }
    return all;
  }

  private static List<Expr> products(Program p) {
    return nodes(p.graph()).stream()
        .filter(e -> e.op() instanceof ConvOp || e.op() instanceof ContractOp)
        .toList();
  }

  private static boolean isRounded(Expr product) {
    return product.inputs().stream().allMatch(i -> i.dtype() == DType.BF16);
  }

  @Test
  void inF32NothingChanges() {
    Program p = Program.trace(TYPES, PrecisionTest::secondOrder);
    assertThat(p.in(Precision.F32)).isSameAs(p);
    Device device = new ReferenceDevice();
    assertThat(device.in(Precision.F32)).isSameAs(device);
    assertThat(device.in(Precision.BF16).in(Precision.F32)).isSameAs(device);
  }

  @Test
  void largeConvolutionsOfEveryPassReadBf16() {
    Program p = Program.trace(TYPES, PrecisionTest::secondOrder).in(Precision.BF16);
    assertThat(products(p)).extracting(Expr::dtype).containsOnly(DType.F32);
    List<Expr> rounded = products(p).stream().filter(PrecisionTest::isRounded).toList();
    assertThat(rounded.stream().map(e -> e.op().getClass()).distinct()).hasSize(3);
    // Those of the second layer; the first has three channels.
    for (Expr e : products(p)) {
      boolean first =
          e.inputs().stream().anyMatch(i -> i.shape().dim(3) == 3 || i.shape().dim(2) == 3)
              || e.shape().dim(3) == 3
              || e.shape().dim(2) == 3;
      assertThat(isRounded(e)).as(e.toString()).isNotEqualTo(first);
    }
    assertThat(p.outputs()).isEqualTo(TYPES.sub("w"));
  }

  @Test
  void soDoThoseInsideMapsAndLoops() {
    Tree<Type> types = Tree.of("x", Type.f32(4, 1, 5, 5, 16)).with("w", Type.f32(3, 3, 16, 16));
    Program p =
        Program.trace(
            types,
            in ->
                Vmap.vmap(
                    t ->
                        Tree.leaf(
                            Vmap.repeat(
                                2, t.get("x"), h -> h.convolve(in.get("w"), SAME, 1).tanh())),
                    Tree.of("x", in.get("x"))));
    assertThat(products(p)).isNotEmpty().noneMatch(PrecisionTest::isRounded);
    Program low = p.in(Precision.BF16);
    assertThat(products(low)).isNotEmpty().allMatch(PrecisionTest::isRounded);
  }

  @Test
  void matricesMustBeLargeInEveryDirection() {
    for (int[] size : new int[][] {{64, 64, 64}, {63, 64, 64}, {64, 63, 64}, {64, 64, 63}}) {
      Tree<Type> types = Tree.of("a", Type.f32(size[0], size[1]), "b", Type.f32(size[1], size[2]));
      Program p = Program.trace(types, in -> Tree.leaf(in.get("a").matmul(in.get("b"))));
      boolean large = IntStream.of(size).allMatch(s -> s == 64);
      assertThat(products(p.in(Precision.BF16)).stream().allMatch(PrecisionTest::isRounded))
          .isEqualTo(large);
    }
  }

  /** The definition of the mode: the reference of the F32 program on operands rounded by hand. */
  @Test
  void theReferenceRoundsOperandsAndNothingElse() {
    Tree<Type> types = Tree.of("x", Type.f32(1, 4, 4, 16), "w", Type.f32(3, 3, 16, 16));
    UnaryOperator<Tree<Expr>> f = in -> Tree.leaf(in.get("x").convolve(in.get("w"), SAME, 1));
    Program p = Program.trace(types, f);
    List<double[]> in = types.leaves().stream().map(t -> values(t, 3)).toList();
    List<double[]> rounded = in.stream().map(PrecisionTest::rounded).toList();
    double[] low = Reference.evaluate(p.in(Precision.BF16).graph(), in).getFirst();
    assertThat(low).isEqualTo(Reference.evaluate(p.graph(), rounded).getFirst());
    assertThat(low).isNotEqualTo(Reference.evaluate(p.graph(), in).getFirst());
  }

  private static double[] values(Type t, long seed) {
    Key key = Key.of(seed).fold(t.shape().rank());
    return IntStream.range(0, (int) t.shape().size())
        .mapToDouble(i -> (float) (key.uniform(i) - 0.5))
        .toArray();
  }

  /** By searching for the nearest of the neighbours with 8 bits of precision. */
  private static double[] rounded(double[] values) {
    double[] out = new double[values.length];
    for (int i = 0; i < out.length; i++) {
      double unit = Math.scalb(1.0, Math.getExponent(values[i]) - 7);
      out[i] = Math.rint(values[i] / unit) * unit;
    }
    return out;
  }

  @Test
  void productsOfBf16OperandsCanBeDifferentiatedTwice() {
    Tree<Type> types =
        Tree.of("x", Type.of(DType.BF16, 1, 4, 4, 2), "k", Type.of(DType.BF16, 3, 3, 2, 2))
            .with("a", Type.of(DType.BF16, 3, 2));
    Program p =
        Program.trace(
            types,
            in ->
                Grad.grad(
                    v ->
                        Grad.grad(
                                u -> {
                                  Expr y = u.get("x").convolve(u.get("k"), SAME, 1);
                                  Expr z = u.get("a").matmul(y.cast(DType.BF16).reshape(2, 16));
                                  return z.square().mean();
                                },
                                v)
                            .map(g -> g.cast(DType.F32).square().sum())
                            .leaves()
                            .stream()
                            .reduce(Expr::add)
                            .orElseThrow(),
                    in));
    assertThat(p.outputs()).isEqualTo(types);
    List<double[]> in = types.leaves().stream().map(t -> rounded(values(t, 5))).toList();
    for (double[] g : Reference.evaluate(p.graph(), in)) {
      assertThat(g).doesNotContain(Double.NaN).isNotEqualTo(new double[g.length]);
    }
  }

  @Test
  void namesAreRead() {
    assertThat(Precision.named(" BF16 ")).isEqualTo(Precision.BF16);
    assertThat(Precision.BF16).hasToString("bf16");
    assertThatThrownBy(() -> Precision.named("fp8"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there is no precision 'fp8'; use f32, bf16");
  }
}
