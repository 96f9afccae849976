package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ResNetTest {
  private static final Shape SMALL = Shape.of(8, 8, 3);
  private static final Model TINY = ResNet.eighteen(SMALL, 2, 10);
  private static final Key KEY = Key.of(3);

  /** The sizes of the reference implementation for CIFAR. */
  @Test
  void shapesAndSize() {
    Model m = Models.named("resnet18", Shape.of(32, 32, 3), 10);
    assertThat(m.size()).isEqualTo(11_173_962);
    assertThat(m.featureShape()).isEqualTo(Shape.of(512));
    assertThat(m.outputShape()).isEqualTo(Shape.of(10));
    Tree<Type> types = m.types();
    assertThat(types.get("body/stem1/conv1/w")).isEqualTo(Type.f32(3, 3, 3, 64));
    assertThat(types.get("body/stage1/residual1/main/conv1/w")).isEqualTo(Type.f32(3, 3, 64, 64));
    assertThat(types.get("body/stage4/residual1/shortcut/conv1/w"))
        .isEqualTo(Type.f32(1, 1, 256, 512));
    assertThat(types.has("body/stage1/residual1/shortcut")).isFalse();
    assertThat(types.has("body/stage2/residual2/shortcut")).isFalse();
    List<Layer> parts = ((Sequential) m.body()).layers();
    Shape s = m.input();
    int[] sides = {32, 32, 16, 8, 4};
    for (int i = 0; i < sides.length; i++) {
      s = parts.get(i).output(s);
      assertThat(s).isEqualTo(Shape.of(sides[i], sides[i], i == 0 ? 64 : 32 << i));
    }
    assertThat(Models.named("resnet18-16", Shape.of(32, 32, 3), 5).name()).isEqualTo("resnet18-16");
  }

  /** A block of 1x1 kernels on one pixel can be computed by hand. */
  @Test
  void aResidualBlockByHand() {
    Layer one = Layers.conv(2, 1);
    double[] identity =
        run(Residual.identity(one), Map.of("main/w", w(2, 0, 0, 3), "main/b", w(1, -9)));
    assertThat(identity).containsExactly(2 * 4 + 1 + 4, 0); // 3 * 1 - 9 + 1 < 0
    double[] projected =
        run(
            new Residual(one, Layers.conv(2, 1).withoutBias()),
            Map.of("main/w", w(2, 0, 0, 3), "main/b", w(1, -9), "shortcut/w", w(0, 10, 0, 0)));
    assertThat(projected).containsExactly(2 * 4 + 1, 3 - 9 + 40);
  }

  private static double[] w(double... values) {
    return values;
  }

  private static double[] run(Layer layer, Map<String, double[]> weights) {
    Shape in = Shape.of(1, 1, 2);
    Tree<Type> types =
        Tree.<Type>empty().with("w", layer.types(in)).with("x", Type.f32(1, 1, 1, 2));
    Program p = Program.trace(types, t -> Tree.of("y", layer.apply(t.sub("w"), t.get("x"))));
    Map<String, double[]> values = new LinkedHashMap<>();
    weights.forEach((path, v) -> values.put("w/" + path, v));
    values.put("x", w(4, 1));
    return Runs.reference(p, values).get("y");
  }

  @Test
  void aBlockThatChangesTheShapeNeedsAProjection() {
    assertThatThrownBy(() -> Residual.identity(Layers.conv(4, 3)).output(SMALL))
        .isInstanceOf(ShapeException.class)
        .hasMessage(
            "residual: main path [8,8,4] and shortcut [8,8,3] differ for an input of [8,8,3]");
  }

  /** One step of every stage in double precision, by hand: strides, order of layers, shortcuts. */
  @Test
  void theNetworkIsTheOneOfThePaper() {
    Map<String, double[]> in = inputs(TINY, 4, Map.of());
    Tree<Type> types = types(TINY, 4);
    Program ours = Program.trace(types, t -> Tree.of("y", TINY.logits(t.sub("w"), t.get("x"))));
    Program paper = Program.trace(types, t -> Tree.of("y", paper(t.sub("w"), t.get("x"))));
    double[] expected = Runs.reference(paper, in).get("y");
    Runs.assertClose("logits", Runs.reference(ours, in).get("y"), expected, 1e-9);
  }

  /** He et al. 2016, Figure 3, with the stem for small images. */
  private static Expr paper(Tree<Expr> w, Expr images) {
    Expr x = unit(w.sub("body/stem1"), 1, images, 1, 1).relu();
    for (int stage = 1; stage <= 4; stage++) {
      for (int i = 1; i <= 2; i++) {
        Tree<Expr> own = w.sub("body/stage" + stage + "/residual" + i);
        int stride = stage > 1 && i == 1 ? 2 : 1;
        Expr y = unit(own.sub("main"), 1, x, stride, 1).relu();
        y = unit(own.sub("main"), 2, y, 1, 1);
        Expr s = stride == 2 ? unit(own.sub("shortcut"), 1, x, 2, 0) : x;
        x = y.add(s).relu();
      }
    }
    return x.mean(1, 2).matmul(w.get("head/w")).add(w.get("head/b"));
  }

  private static Expr unit(Tree<Expr> w, int number, Expr x, int stride, int padding) {
    Tree<Expr> norm = w.sub("norm" + number);
    Expr y =
        x.convolve(w.get("conv" + number + "/w"), dev.vauban.tensor.Window.of(stride, padding), 1);
    return Normalize.batch(y, norm.get("scale"), norm.get("shift"), 1e-5);
  }

  /** Along one random direction, in double precision. */
  @Test
  void gradientAgainstFiniteDifferences() {
    Map<String, double[]> in = inputs(TINY, 4, Map.of());
    Function<Tree<Expr>, Expr> loss =
        t -> Losses.crossEntropy(TINY.logits(t.sub("w"), t.get("x")), t.get("y")).mean();
    Tree<Type> types = types(TINY, 4).with("y", Type.i32(4));
    in.put("y", new double[] {1, 7, 3, 3});
    Program value = Program.trace(types, t -> Tree.of("loss", loss.apply(t)));
    Program slope =
        Program.trace(types, t -> Grad.grad(w -> loss.apply(t.with("w", w)), t.sub("w")));
    Map<String, double[]> gradient = Runs.reference(slope, in);
    Map<String, double[]> up = new LinkedHashMap<>(in);
    Map<String, double[]> down = new LinkedHashMap<>(in);
    double h = 1e-6;
    double expected = 0;
    int leaf = 0;
    for (String path : gradient.keySet()) {
      double[] w = in.get("w/" + path);
      double[] g = gradient.get(path);
      Key direction = KEY.fold(50 + leaf++);
      double[] a = w.clone();
      double[] b = w.clone();
      for (int i = 0; i < w.length; i++) {
        double d = direction.normal(i);
        expected += d * g[i];
        a[i] += h * d;
        b[i] -= h * d;
      }
      up.put("w/" + path, a);
      down.put("w/" + path, b);
    }
    double slopeByDifference =
        (Runs.reference(value, up).get("loss")[0] - Runs.reference(value, down).get("loss")[0])
            / (2 * h);
    assertThat(Math.abs(expected)).isGreaterThan(0.1);
    assertThat(slopeByDifference).isCloseTo(expected, within(1e-5 * Math.abs(expected)));
  }

  static Tree<Type> types(Model m, int n) {
    int[] d = m.input().dims();
    return Tree.<Type>empty().with("w", m.types()).with("x", Type.f32(n, d[0], d[1], d[2]));
  }

  /** Random weights, scales and shifts too, and images; {@code more} replaces some. */
  static Map<String, double[]> inputs(Model m, int n, Map<String, double[]> more) {
    Map<String, double[]> in = new LinkedHashMap<>();
    int[] leaf = {0};
    types(m, n)
        .paths()
        .forEach((path, type) -> {
          Key key = KEY.fold(leaf[0]++);
          double[] v = new double[(int) type.shape().size()];
          for (int i = 0; i < v.length; i++) {
            v[i] = path.endsWith("scale") ? 0.5 + key.uniform(i) : 0.3 * key.normal(i);
          }
          in.put(path, v);
        });
    in.putAll(more);
    return in;
  }
}
