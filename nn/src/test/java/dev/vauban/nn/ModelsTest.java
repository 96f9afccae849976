package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelsTest {
  /** Sizes as published, or counted by hand from the description. */
  @ParameterizedTest
  @CsvSource({
    "conv4-64,        28, 1, 64,  112005",
    "conv4-32,        28, 1, 32,  28357",
    "conv4-64,        84, 3, 1600, 120837",
    "conv4-strided-64, 28, 1, 256, 112965",
    "conv4-rmaml-64,  28, 1, 64,  91781",
    "conv4-cifar,     32, 3, 512, 19413",
    "conv4-mini-32,   84, 3, 800, 32901",
    "resnet18,        32, 3, 512, 11171397",
    "mlp-256-128,     28, 1, 128, 234501",
    "linear,          28, 1, 784, 3925"
  })
  void featuresAndSizes(String name, int side, int channels, int features, long size) {
    Model m = Models.named(name, Shape.of(side, side, channels), 5);
    assertThat(m.featureShape()).isEqualTo(Shape.of(features));
    assertThat(m.outputShape()).isEqualTo(Shape.of(5));
    assertThat(m.size()).isEqualTo(size);
    assertThat(m.name()).isEqualTo(name);
  }

  /** What a model says of its shapes is what it computes. */
  @ParameterizedTest
  @CsvSource({
    "conv4-8, 28, 1",
    "conv4-strided-8, 28, 1",
    "conv4-rmaml-8, 28, 1",
    "conv4-cifar, 32, 3",
    "conv4-mini-8, 84, 3",
    "resnet18-2, 9, 2",
    "mlp-12-7, 9, 2",
    "linear, 5, 1"
  })
  void tracing(String name, int side, int channels) {
    Model m = Models.named(name, Shape.of(side, side, channels), 5);
    Tree<Type> in =
        Tree.<Type>empty().with("w", m.types()).with("x", Type.f32(7, side, side, channels));
    Program p =
        Program.trace(
            in,
            t ->
                Tree.of(
                    "features", m.features(t.sub("w"), t.get("x")),
                    "logits", m.logits(t.sub("w"), t.get("x"))));
    assertThat(p.outputs().get("features").shape()).isEqualTo(m.featureShape().prepend(7));
    assertThat(p.outputs().get("logits")).isEqualTo(Type.f32(7, 5));
  }

  @Test
  void names() {
    assertThat(Models.names())
        .allSatisfy(n -> {
          Shape in = n.contains("mini") ? Shape.of(84, 84, 3) : Shape.of(32, 32, 3);
          assertThat(Models.named(n, in, 5).name()).isEqualTo(n);
        });
    assertThat(Models.named(" CONV4-64 ", Shape.of(28, 28, 1), 5).name()).isEqualTo("conv4-64");
    assertThatThrownBy(() -> Models.named("conv-64", Shape.of(28, 28, 1), 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("unknown model 'conv-64'; did you mean 'conv4-64'? (one of: ");
    assertThatThrownBy(() -> Models.named("conv4-strid-64", Shape.of(28, 28, 1), 5))
        .hasMessageContaining("did you mean 'conv4-strided-64'?");
  }

  @Test
  void imagesThatAreTooSmall() {
    assertThatThrownBy(() -> Models.named("conv4-64", Shape.of(8, 8, 1), 5))
        .isInstanceOf(ShapeException.class)
        .hasMessage("max-pool 2x2 stride 2x2: the window is larger than the padded image [1,1,64]");
    assertThatThrownBy(() -> Models.named("conv4-64", Shape.of(28, 28), 5))
        .isInstanceOf(ShapeException.class)
        .hasMessage("conv 64 3x3 stride 1x1 pad 1,1,1,1: takes images [H,W,C], not [28,28]");
  }

  @Test
  void initialWeights() {
    Model m = Models.named("conv4-64", Shape.of(28, 28, 1), 5);
    try (Scope scope = Scope.open()) {
      Tree<Tensor> a = m.init(scope, Key.of(1));
      Tree<Tensor> b = m.init(scope, Key.of(1));
      Tree<Tensor> c = m.init(scope, Key.of(2));
      a.paths()
          .forEach(
              (path, t) -> assertThat(t.segment().mismatch(b.get(path).segment())).isEqualTo(-1));
      double[] w = a.get("body/block2/conv1/w").toDoubles();
      assertThat(w).isNotEqualTo(c.get("body/block2/conv1/w").toDoubles());
      assertThat(w).isNotEqualTo(a.get("body/block3/conv1/w").toDoubles());
      // Xavier: uniform within sqrt(6 / (fan in + fan out)), variance 2 / (fan in + fan out).
      double fans = 9 * 64 + 9 * 64;
      assertThat(max(w)).isBetween(0.999 * Math.sqrt(6 / fans), Math.sqrt(6 / fans));
      assertThat(variance(w)).isBetween(0.98 * 2 / fans, 1.02 * 2 / fans);
      assertThat(a.get("body/block1/norm1/scale").toDoubles()).containsOnly(1);
      assertThat(a.get("body/block1/norm1/shift").toDoubles()).containsOnly(0);
      assertThat(a.get("head/b").toDoubles()).containsOnly(0);
      double[] k =
          Models.named("conv4-rmaml-64", Shape.of(28, 28, 1), 5)
              .init(scope, Key.of(1))
              .get("body/block2/conv1/w")
              .toDoubles();
      double fanIn = 9 * 64;
      assertThat(variance(k)).isBetween(0.98 * 2 / fanIn, 1.02 * 2 / fanIn);
      assertThat(max(k)).isGreaterThan(3.5 * Math.sqrt(2 / fanIn));
    }
  }

  private static double max(double[] w) {
    return java.util.Arrays.stream(w).map(Math::abs).max().orElseThrow();
  }

  private static double variance(double[] w) {
    return java.util.Arrays.stream(w).map(x -> x * x).average().orElseThrow();
  }

  @Test
  void aMissingWeightIsNamed() {
    Model m = Models.named("linear", Shape.of(2, 2, 1), 5);
    Tree<Expr> none = Tree.of("body", Tree.<Expr>empty());
    assertThatThrownBy(() -> m.logits(none, Expr.fill(Type.f32(3, 2, 2, 1), 1)))
        .hasMessage("no 'head' in 'head'; there is [body]");
  }
}
