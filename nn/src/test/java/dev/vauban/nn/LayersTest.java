package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class LayersTest {
  private static Stream<Arguments> layers() {
    Shape image = Shape.of(9, 7, 4);
    return Stream.of(
        Arguments.of(Layers.conv(6, 3), image, "w f32[3,3,4,6], b f32[6]"),
        Arguments.of(Layers.conv(6, 3, 2, 0).withoutBias(), image, "w f32[3,3,4,6]"),
        Arguments.of(Layers.conv(6, 2).grouped(2), image, "w f32[2,2,2,6], b f32[6]"),
        Arguments.of(Layers.linear(3), Shape.of(5), "w f32[5,3], b f32[3]"),
        Arguments.of(Layers.linear(3).withoutBias(), Shape.of(6, 5), "w f32[5,3]"),
        Arguments.of(Layers.maxPool(2), image, ""),
        Arguments.of(Layers.maxPool(3, 2, 1), image, ""),
        Arguments.of(Layers.averagePool(2), image, ""),
        Arguments.of(Layers.averagePool(3, 1, 1), image, ""),
        Arguments.of(Layers.globalAveragePool(), image, ""),
        Arguments.of(Layers.flatten(), image, ""),
        Arguments.of(Layers.batchNorm(), image, "scale f32[4], shift f32[4]"),
        Arguments.of(Layers.batchNorm(), Shape.of(5), "scale f32[5], shift f32[5]"),
        Arguments.of(Layers.layerNorm(), image, "scale f32[9,7,4], shift f32[9,7,4]"),
        Arguments.of(Layers.groupNorm(2), image, "scale f32[4], shift f32[4]"),
        Arguments.of(Layers.relu(), image, ""),
        Arguments.of(
            Layers.mlp(Activation.TANH, 8, 3),
            image,
            "linear1/w f32[252,8], linear1/b f32[8], linear2/w f32[8,3], linear2/b f32[3]"),
        Arguments.of(
            Layers.sequential(
                Layers.block("stage", Layers.conv(2, 3), Layers.conv(3, 1)),
                Layers.block("stage", Layers.conv(2, 3).withoutBias())),
            image,
            "stage1/conv1/w f32[3,3,4,2], stage1/conv1/b f32[2], stage1/conv2/w f32[1,1,2,3],"
                + " stage1/conv2/b f32[3], stage2/conv1/w f32[3,3,3,2]"));
  }

  /** Weights have the stated names and types, and the value has the stated shape. */
  @ParameterizedTest
  @MethodSource("layers")
  void namesAndShapes(Layer layer, Shape in, String weights) {
    String actual = layer.types(in).toString().strip().replace("\n", ", ");
    assertThat(actual).isEqualTo(weights);
    Tree<Type> types =
        Tree.<Type>empty().with("w", layer.types(in)).with("x", Type.f32().with(in.prepend(3)));
    Program p = Program.trace(types, t -> Tree.of("y", layer.apply(t.sub("w"), t.get("x"))));
    assertThat(p.outputs().get("y").shape()).isEqualTo(layer.output(in).prepend(3));
  }

  @Test
  void batchNormNormalises() {
    double[] x = {1, 10, 2, 30, 3, 20};
    double[] y =
        run(
            t -> Layers.batchNorm().apply(Tree.of("scale", ones(2), "shift", zeros(2)), t),
            Type.f32(3, 2),
            x);
    double sd = Math.sqrt(2.0 / 3 + 1e-5);
    assertThat(y[0]).isCloseTo(-1 / sd, within(1e-12));
    assertThat(y[2]).isZero();
    assertThat(y[1] + y[3] + y[5]).isCloseTo(0, within(1e-12));
  }

  private static Expr ones(int n) {
    return Expr.fill(Type.f32(n), 1);
  }

  private static Expr zeros(int n) {
    return Expr.fill(Type.f32(n), 0);
  }

  private static double[] run(UnaryOperator<Expr> f, Type type, double... x) {
    Program p = Program.trace(Tree.of("x", type), t -> Tree.of("y", f.apply(t.get("x"))));
    return Runs.reference(p, Map.of("x", x)).get("y");
  }

  /** Flattening is row-major over rows, columns, channels; the matrix follows that order. */
  @Test
  void aPerceptronByHand() {
    Layer net = Layers.mlp(Activation.RELU, 2, 1);
    Map<String, double[]> values = new HashMap<>();
    values.put("x", new double[] {1, 2, 3, 4});
    values.put("w/linear1/w", new double[] {1, -1, 0, 0, 0, 0, 1, -1});
    values.put("w/linear1/b", new double[] {0.5, 0});
    values.put("w/linear2/w", new double[] {2, 100});
    values.put("w/linear2/b", new double[] {-1});
    Tree<Type> types =
        Tree.<Type>empty().with("w", net.types(Shape.of(1, 2, 2))).with("x", Type.f32(1, 1, 2, 2));
    Program p = Program.trace(types, t -> Tree.of("y", net.apply(t.sub("w"), t.get("x"))));
    // relu(1 + 4 + 0.5) * 2 + relu(-1 - 4) * 100 - 1
    assertThat(Runs.reference(p, values).get("y")).containsExactly(10);
  }

  @Test
  void mistakes() {
    assertThatThrownBy(() -> Layers.conv(64, 3).output(Shape.of(5)))
        .isInstanceOf(ShapeException.class)
        .hasMessage("conv 64 3x3 stride 1x1 pad 1,1,1,1: takes images [H,W,C], not [5]");
    assertThatThrownBy(() -> Layers.conv(8, 5, 1, 0).output(Shape.of(4, 4, 1)))
        .hasMessage("conv 8 5x5 stride 1x1: the kernel is larger than the padded image [4,4,1]");
    assertThatThrownBy(() -> Layers.conv(6, 3).grouped(4))
        .hasMessage(
            "conv: 6 filters of 3x3 in 4 group(s): all are at least 1 and groups divide filters");
    assertThatThrownBy(() -> Layers.conv(6, 3).grouped(3).output(Shape.of(5, 5, 4)))
        .hasMessage(
            "conv 6 3x3 stride 1x1 pad 1,1,1,1 groups 3: 4 channels do not divide into 3 groups");
    assertThatThrownBy(() -> Layers.linear(0)).hasMessage("linear: at least 1 output, not 0");
    assertThatThrownBy(() -> Layers.groupNorm(3).output(Shape.of(4)))
        .hasMessage("group-norm: 4 channels do not divide into 3 groups");
  }

  @Test
  void recurrentCells() {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> w = Weight.init(new LstmCell(5, 16).weights(), scope, Key.of(1));
      assertThat(w.map(Tensor::type).toString().strip())
          .isEqualTo("wi f32[5,64]\nwh f32[16,64]\nbi f32[64]\nbh f32[64]");
      assertThat(java.util.Arrays.stream(w.get("wh").toDoubles()).map(Math::abs).max())
          .hasValueCloseTo(0.25, within(0.002));
      LstmCell.State zero = new LstmCell(5, 16).zeros(2);
      assertThat(zero.h().type()).isEqualTo(Type.f32(2, 16));
    }
  }
}
