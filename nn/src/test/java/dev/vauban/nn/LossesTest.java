package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Losses at the edges; the reference values test them in the middle. */
class LossesTest {
  private static final double INF = Double.POSITIVE_INFINITY;

  private static double[] run(UnaryOperator<Expr> f, Type type, double... x) {
    Program p = Program.trace(Tree.of("x", type), t -> Tree.of("y", f.apply(t.get("x"))));
    return Runs.reference(p, Map.of("x", x)).get("y");
  }

  private static double[] gradient(UnaryOperator<Expr> f, Type type, double... x) {
    return run(e -> Grad.grad(a -> f.apply(a).sum(), e), type, x);
  }

  private static Expr labels(double... y) {
    return Expr.data(Type.i32(y.length), y);
  }

  @Test
  void crossEntropyOfExtremeLogits() {
    Type t = Type.f32(2, 3);
    double[] z = {1e4, -1e4, 0, 5, 5, 5};
    double[] loss = run(x -> Losses.crossEntropy(x, labels(1, 2)), t, z);
    assertThat(loss[0]).isEqualTo(2e4);
    assertThat(loss[1]).isCloseTo(Math.log(3), within(1e-15));
    double[] g = gradient(x -> Losses.crossEntropy(x, labels(1, 2)), t, z);
    assertThat(g).startsWith(1, -1, 0);
  }

  /** A masked class, with logit minus infinity, costs nothing and has no gradient. */
  @Test
  void aMaskedClass() {
    Type t = Type.f32(1, 3);
    UnaryOperator<Expr> f = x -> Losses.crossEntropy(x, labels(0));
    assertThat(run(f, t, 0, 0, -INF)[0]).isCloseTo(Math.log(2), within(1e-15));
    assertThat(gradient(f, t, 0, 0, -INF)).containsExactly(-0.5, 0.5, 0);
  }

  @Test
  void smoothedLabelsAreSoftTargets() {
    Type t = Type.f32(1, 4);
    double[] z = {0.3, -1, 2, 0.5};
    double smooth = run(x -> Losses.crossEntropy(x, labels(2), 0.2), t, z)[0];
    Expr target = Expr.data(t, 0.05, 0.05, 0.85, 0.05);
    double soft = run(x -> Losses.crossEntropy(x, target), t, z)[0];
    assertThat(smooth).isCloseTo(soft, within(1e-15));
  }

  @Test
  void klOfEqualsAndOfCertainty() {
    Type t = Type.f32(1, 3);
    assertThat(run(x -> Losses.kl(x, x), t, 1, 2, 3)[0]).isZero();
    Expr certain = Expr.data(t, 0, 1, 0);
    double[] kl = run(x -> Losses.klOfProbabilities(Softmax.log(x, -1), certain), t, 0, 0, 0);
    assertThat(kl[0]).isCloseTo(Math.log(3), within(1e-15));
    assertThat(gradient(x -> Losses.klOfProbabilities(Softmax.log(x, -1), certain), t, 0, 0, 0))
        .satisfies(g -> assertThat(g[1]).isCloseTo(-2.0 / 3, within(1e-15)));
  }

  @Test
  void binaryCrossEntropyOfExtremeLogits() {
    Expr target = Expr.data(Type.f32(4), 0, 1, 0, 1);
    double[] y = run(x -> Losses.binaryCrossEntropy(x, target), Type.f32(4), 1e4, 1e4, 0, -1e4);
    assertThat(y).containsExactly(1e4, 0, Math.log1p(1), 1e4);
    double[] g =
        gradient(x -> Losses.binaryCrossEntropy(x, target), Type.f32(4), 1e4, 1e4, 0, -1e4);
    assertThat(g).containsExactly(1, 0, 0.5, -1);
  }

  @Test
  void smoothL1MeetsItself() {
    Expr zero = Expr.fill(Type.f32(3), 0);
    assertThat(run(x -> Losses.smoothL1(x, zero, 2), Type.f32(3), 2, 1, -6))
        .containsExactly(1, 0.25, 5);
  }

  @Test
  void accuracyCounts() {
    Type t = Type.f32(4, 2);
    assertThat(run(x -> Losses.accuracy(x, labels(0, 0, 1, 1)), t, 2, 1, 1, 2, 1, 2, 3, 0))
        .containsExactly(0.5);
  }

  /** The gradient of a norm is finite at 0, where a plain square root's is not. */
  @Test
  void vectorsOfZeros() {
    Type t = Type.f32(1, 3);
    assertThat(run(Similarity::normalize, t, 0, 0, 0)).containsExactly(0, 0, 0);
    assertThat(gradient(Similarity::norm, t, 0, 0, 0)).containsExactly(0, 0, 0);
    Expr b = Expr.data(t, 1, 2, 2);
    assertThat(run(x -> Similarity.cosine(x, b), t, 0, 0, 0)).containsExactly(0);
    assertThat(run(x -> Similarity.cosine(x, b), t, 2, 4, 4)[0]).isCloseTo(1, within(1e-15));
  }

  @Test
  void aRowAloneInItsClass() {
    double[] l =
        run(z -> Contrastive.supCon(z, labels(0, 1, 1), 0.5), Type.f32(3, 2), 1, 0, 0, 1, 0, 1);
    assertThat(l[0]).isZero();
    // Two positives at cosine 1, one negative at 0: log(1 + exp(-2)).
    assertThat(l[1]).isCloseTo(Math.log1p(Math.exp(-2)), within(1e-12));
  }

  @Test
  void aClassWithoutExamples() {
    double[] p = run(z -> Prototypes.of(z, labels(2, 2), 3), Type.f32(2, 1), 4, 6);
    assertThat(p).containsExactly(0, 0, 5);
  }

  @Test
  void mistakes() {
    Expr x = Expr.fill(Type.f32(4, 3), 1);
    assertThatThrownBy(() -> Losses.crossEntropy(x, labels(0, 1)))
        .hasMessageStartingWith("labels are i32[4] for f32[4,3]");
    assertThatThrownBy(() -> Losses.crossEntropy(x, labels(0, 1, 2, 0), 1))
        .hasMessage("label smoothing is at least 0 and less than 1, not 1.0");
    assertThatThrownBy(() -> Margins.dlrTargeted(x, labels(0, 1, 2, 0), labels(1, 2, 0, 1)))
        .hasMessage("targeted dlr: needs at least 4 classes, not 3");
    Expr odd = Expr.fill(Type.f32(5, 3), 1);
    assertThatThrownBy(() -> Contrastive.ntXent(odd, 0.5))
        .hasMessage("ntXent: needs an even number of rows, not 5");
  }
}
