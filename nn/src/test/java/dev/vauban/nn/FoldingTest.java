package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FoldingTest {
  private static final int N = 5;

  static Stream<Model> models() {
    Layer biased =
        Layers.sequential(
            Layers.conv(3, 3),
            Layers.batchNorm(),
            Layers.relu(),
            Layers.groupNorm(3),
            Layers.flatten());
    return Stream.of(
        ResNet.eighteen(Shape.of(8, 8, 3), 2, 4),
        Conv4.maxPooled(Shape.of(16, 16, 2), 3, 4),
        new Model("biased", Shape.of(4, 4, 2), biased, Layers.linear(4)));
  }

  /** On the very batch that the statistics are of, all three are the same function. */
  @ParameterizedTest
  @MethodSource("models")
  void foldedFixedAndBatchNormAgreeOnTheReferenceBatch(Model m) {
    Map<String, double[]> in = ResNetTest.inputs(m, N, Map.of());
    Program p =
        Program.trace(
            ResNetTest.types(m, N),
            t -> {
              Tree<Expr> w = t.sub("w");
              Expr x = t.get("x");
              Tree<Expr> statistics = BatchStatistics.gather(m, w, x);
              return Tree.of(
                  "batch", m.logits(w, x),
                  "fixed", BatchStatistics.logits(m, w, statistics, x),
                  "folded", Folding.of(m).logits(Folding.weights(m, w, statistics), x));
            });
    Map<String, double[]> out = Runs.reference(p, in);
    Runs.assertClose("fixed", out.get("fixed"), out.get("batch"), 1e-10);
    Runs.assertClose("folded", out.get("folded"), out.get("batch"), 1e-10);
  }

  /** On other images the folded model agrees with fixed statistics and not with the batch's. */
  @ParameterizedTest
  @MethodSource("models")
  void foldedIsFixedOnOtherImages(Model m) {
    Map<String, double[]> in = ResNetTest.inputs(m, N, Map.of());
    double[] other = in.get("x").clone();
    for (int i = 0; i < other.length; i++) {
      other[i] = 2 * other[other.length - 1 - i] + 0.5;
    }
    in.put("other", other);
    Tree<Type> types = ResNetTest.types(m, N);
    Program p =
        Program.trace(
            types.with("other", types.get("x")),
            t -> {
              Tree<Expr> w = t.sub("w");
              Tree<Expr> statistics = BatchStatistics.gather(m, w, t.get("x"));
              Expr x = t.get("other");
              return Tree.of(
                  "batch", m.logits(w, x),
                  "fixed", BatchStatistics.logits(m, w, statistics, x),
                  "folded", Folding.of(m).logits(Folding.weights(m, w, statistics), x));
            });
    Map<String, double[]> out = Runs.reference(p, in);
    Runs.assertClose("folded", out.get("folded"), out.get("fixed"), 1e-10);
    double moved = 0;
    for (int i = 0; i < out.get("batch").length; i++) {
      moved = Math.max(moved, Math.abs(out.get("batch")[i] - out.get("fixed")[i]));
    }
    assertThat(moved).isGreaterThan(1e-2);
  }

  @Test
  void theFoldedModelHasBiasesAndNoNorms() {
    Model folded = Folding.of(ResNet.eighteen(Shape.of(32, 32, 3), 64, 10));
    assertThat(folded.name()).isEqualTo("resnet18-folded");
    assertThat(folded.types().paths().keySet()).noneMatch(path -> path.contains("norm"));
    assertThat(folded.types().get("body/stage2/residual1/shortcut/conv1/b"))
        .isEqualTo(Type.f32(128));
    // Each norm's scale and shift become one bias.
    assertThat(folded.size()).isEqualTo(11_173_962 - 4_800);
  }

  @Test
  void runningStatisticsAreMixed() {
    Model m =
        new Model(
            "one",
            Shape.of(1, 1, 1),
            Layers.sequential(
                Layers.conv(1, 1).withoutBias(), Layers.batchNorm(), Layers.flatten()),
            Layers.linear(1));
    Map<String, double[]> in = new LinkedHashMap<>(ResNetTest.inputs(m, 2, Map.of()));
    in.put("w/body/conv1/w", new double[] {2});
    in.put("x", new double[] {1, 4});
    in.put("old/body/norm1/mean", new double[] {10});
    in.put("old/body/norm1/variance", new double[] {20});
    Tree<Type> old =
        Tree.of("body", Tree.of("norm1", Tree.of("mean", Type.f32(1), "variance", Type.f32(1))));
    Program p =
        Program.trace(
            ResNetTest.types(m, 2).with("old", old),
            t ->
                BatchStatistics.running(
                    t.sub("old"), BatchStatistics.gather(m, t.sub("w"), t.get("x")), 0.1));
    Map<String, double[]> out = Runs.reference(p, in);
    assertThat(out.get("body/norm1/mean")[0]).isCloseTo(0.9 * 10 + 0.1 * 5, within(1e-12));
    assertThat(out.get("body/norm1/variance")[0]).isCloseTo(0.9 * 20 + 0.1 * 9, within(1e-12));
  }

  @Test
  void aNormAfterAnActivationCannotBeFolded() {
    assertThatThrownBy(() -> Folding.of(Conv4.cifar(Shape.of(32, 32, 3), 5)))
        .isInstanceOf(ShapeException.class)
        .hasMessage("folding: a batch norm can be folded only into a convolution right before it");
  }
}
