package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Small examples worked out by hand: what each operation that moves or combines elements does. */
class OpExamplesTest {
  private static double[] of(UnaryOperator<Expr> f, Type type, double... x) {
    Expr p = Expr.parameter(1, "x", type);
    Graph g = new Graph(List.of(p), List.of(f.apply(p)));
    return Reference.evaluate(g, List.of(x)).getFirst();
  }

  private static double[] counted(UnaryOperator<Expr> f, int... dims) {
    Type t = Type.f32(dims);
    double[] x = new double[(int) t.shape().size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = i + 1;
    }
    return of(f, t, x);
  }

  private static Expr indices(double... values) {
    return Expr.data(Type.i32(values.length), values);
  }

  @Test
  void moves() {
    assertThat(counted(Expr::transpose, 2, 3)).containsExactly(1, 4, 2, 5, 3, 6);
    assertThat(counted(x -> x.transpose(1, 2, 0), 2, 1, 3)).containsExactly(1, 4, 2, 5, 3, 6);
    assertThat(counted(x -> x.broadcast(Shape.of(2, 3), 0), 2)).containsExactly(1, 1, 1, 2, 2, 2);
    assertThat(counted(x -> x.broadcast(Shape.of(2, 3), 1), 3)).containsExactly(1, 2, 3, 1, 2, 3);
    assertThat(counted(x -> x.slice(new int[] {1}, new int[] {6}, new int[] {2}), 7))
        .containsExactly(2, 4, 6);
    assertThat(counted(x -> x.pad(new int[] {1}, new int[] {2}, new int[] {1}), 3))
        .containsExactly(0, 1, 0, 2, 0, 3, 0, 0);
    assertThat(counted(x -> Expr.concat(1, x, x.neg()), 2, 1)).containsExactly(1, -1, 2, -2);
    assertThat(of(x -> x.add(Expr.iota(x.type(), 1)), Type.f32(2, 3), 0, 0, 0, 0, 0, 0))
        .containsExactly(0, 1, 2, 0, 1, 2);
  }

  @Test
  void gathersAndScatters() {
    assertThat(counted(x -> x.gather(0, indices(2, 0, 2)), 3, 2)).containsExactly(5, 6, 1, 2, 5, 6);
    assertThat(counted(x -> x.gather(1, indices(1, 1)), 2, 2)).containsExactly(2, 2, 4, 4);
    assertThat(counted(x -> x.scatterAdd(0, 4, indices(2, 0, 2)), 3)).containsExactly(2, 0, 4, 0);
    assertThat(counted(x -> x.takeAlong(1, Expr.data(Type.i32(2, 1), 2, 0)), 2, 3))
        .containsExactly(3, 4);
  }

  @Test
  void reduces() {
    assertThat(counted(x -> x.sum(0), 2, 3)).containsExactly(5, 7, 9);
    assertThat(counted(x -> x.mean(1), 2, 3)).containsExactly(2, 5);
    assertThat(counted(x -> x.maxOver(), 2, 3)).containsExactly(6);
    assertThat(counted(x -> x.variance(1), 1, 4)).containsExactly(1.25);
    assertThat(of(x -> x.maxOver(0), Type.f32(3), 1, Double.NaN, 3)).containsExactly(Double.NaN);
    assertThat(of(x -> x.sum(0), Type.f32(0, 2))).containsExactly(0, 0);
  }

  @Test
  void orders() {
    Type t = Type.f32(5);
    double nan = Double.NaN;
    assertThat(of(x -> x.argMax(0), t, 1, 3, 2, 3, 0)).containsExactly(1);
    assertThat(of(x -> x.argMin(0), t, 1, 0, 2, 0, 5)).containsExactly(1);
    assertThat(of(x -> x.argMax(0), t, 1, 3, nan, 9, nan)).containsExactly(2);
    assertThat(of(x -> x.argSort(0, ReduceOp.Order.ASCENDING, 5), t, 2, 1, nan, 1, 0))
        .containsExactly(4, 1, 3, 0, 2);
    assertThat(of(x -> x.argSort(0, ReduceOp.Order.DESCENDING, 3), t, 2, 1, nan, 2, 0))
        .containsExactly(2, 0, 3);
    assertThat(of(x -> x.topK(2), t, 2, 1, 7, 2, 0)).containsExactly(7, 2);
  }

  @Test
  void multiplies() {
    assertThat(counted(x -> x.matmul(Expr.data(Type.f32(3, 2), 1, 0, 0, 1, 1, 1)), 2, 3))
        .containsExactly(4, 5, 10, 11);
  }

  /** 3x3 image, 2x2 kernel of ones: sums of neighbours; with padding 1 and stride 2, corners. */
  @Test
  void convolves() {
    Expr kernel = Expr.fill(Type.f32(2, 2, 1, 1), 1);
    assertThat(counted(x -> x.convolve(kernel, Window.of(1, 0), 1), 1, 3, 3, 1))
        .containsExactly(12, 16, 24, 28);
    assertThat(counted(x -> x.convolve(kernel, Window.of(2, 1), 1), 1, 3, 3, 1))
        .containsExactly(1, 5, 11, 28);
    // Cross-correlation: the kernel is not flipped.
    Expr corner = Expr.data(Type.f32(2, 2, 1, 1), 1, 0, 0, 0);
    assertThat(counted(x -> x.convolve(corner, Window.of(1, 0), 1), 1, 3, 3, 1))
        .containsExactly(1, 2, 4, 5);
    // Two groups: each output channel sees its own input channel.
    Expr scale = Expr.data(Type.f32(1, 1, 1, 2), 10, 100);
    assertThat(counted(x -> x.convolve(scale, Window.of(1, 0), 2), 1, 1, 2, 2))
        .containsExactly(10, 200, 30, 400);
  }

  @Test
  void pools() {
    Type t = Type.f32(1, 2, 4, 1);
    double[] x = {1, 5, 3, 3, 5, 2, 3, 0};
    PoolWindow two = PoolWindow.square(2);
    assertThat(of(a -> a.maxPool(two), t, x)).containsExactly(5, 3);
    assertThat(of(a -> a.averagePool(two), t, x)).containsExactly(3.25, 2.25);
    // The gradient goes to the first maximum of a window.
    assertThat(of(a -> Grad.grad(b -> b.maxPool(two).sum(), a), t, x))
        .containsExactly(0, 1, 1, 0, 0, 0, 0, 0);
    // Padding never wins a maximum, even among negative values.
    PoolWindow padded = new PoolWindow(3, 3, Window.of(2, 1));
    assertThat(of(a -> a.maxPool(padded), Type.f32(1, 1, 2, 1), -4, -2)).containsExactly(-2);
  }

  @Test
  void casts() {
    Type t = Type.f32(6);
    double[] x = {1.9, -1.9, 300, -5, Double.NaN, 1e20};
    assertThat(of(a -> a.cast(DType.I32), t, x))
        .containsExactly(1, -1, 300, -5, 0, Integer.MAX_VALUE);
    assertThat(of(a -> a.cast(DType.U8), t, x)).containsExactly(1, 0, 255, 0, 0, 255);
  }

  /** The traced generator is the one of {@link Key}. */
  @Test
  void randomness() {
    Key key = Key.of(0x1234_5678_9ABC_DEF0L);
    double[] k = {key.k0(), key.k1()};
    double[] bits = of(a -> a.bits(Shape.of(4)), Type.i32(2), k);
    for (int i = 0; i < bits.length; i++) {
      assertThat(bits[i]).isEqualTo((int) (key.bits(i) >>> 32));
    }
    assertThat(of(a -> a.fold(77), Type.i32(2), k))
        .containsExactly(key.fold(77).k0(), key.fold(77).k1());
    double[] u = of(a -> a.uniform(Shape.of(4000)), Type.i32(2), k);
    assertThat(java.util.Arrays.stream(u).allMatch(v -> v >= 0 && v < 1)).isTrue();
    double mean = java.util.Arrays.stream(u).average().orElseThrow();
    assertThat(mean).isBetween(0.48, 0.52); // 1/2 within 4 standard deviations of 0.0046
    double[] z = of(a -> a.normal(Shape.of(4000)), Type.i32(2), k);
    double square = java.util.Arrays.stream(z).map(v -> v * v).average().orElseThrow();
    assertThat(square).isBetween(0.91, 1.09); // 1 within 4 standard deviations of 0.022
  }

  @Test
  void loops() {
    assertThat(of(x -> Vmap.repeat(3, x, s -> s.mul(2)), Type.f32(2), 1, 5)).containsExactly(8, 40);
    assertThat(
            of(
                x ->
                    Vmap.repeat(
                            4, Tree.leaf(x), (i, s) -> Tree.leaf(s.value().add(i.cast(DType.F32))))
                        .value(),
                Type.f32(),
                10))
        .containsExactly(16);
  }

  @Test
  void aStoppedGradientIsZero() {
    assertThat(of(a -> Grad.grad(x -> x.mul(x.stopGradient()).sum(), a), Type.f32(2), 3, 4))
        .containsExactly(3, 4);
  }
}
