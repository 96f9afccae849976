package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.InstanceContrast;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Meta-gradients against finite differences, figures of episodes, intrinsic dimension, names. */
class LearnersTest {
  private static final Loss SMOOTH =
      (w, b) ->
          Losses.crossEntropy(b.x().matmul(w.get("a")).tanh().matmul(w.get("head/b")), b.y())
              .mean();
  private static final Tree<Type> WEIGHTS =
      Tree.of("a", Type.f32(4, 5)).with("head", Tree.of("b", Type.f32(5, 3)));

  private static double[] random(long seed, int n) {
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] = Key.of(seed).normal(i);
    }
    return out;
  }

  private static Task<Expr> task() {
    return new Task<>(batch(1, 3), batch(2, 6));
  }

  private static Batch<Expr> batch(long seed, int n) {
    double[] y = new double[n];
    for (int i = 0; i < n; i++) {
      y[i] = i % 3;
    }
    return new Batch<>(Expr.data(Type.f32(n, 4), random(seed, 4 * n)), Expr.data(Type.i32(n), y));
  }

  private static double[] evaluate(
      BiFunction<Tree<Expr>, Expr, Expr> f, double[] a, double[] b, double[] direction) {
    Program p =
        Program.trace(
            WEIGHTS.with("d", Type.f32(35)),
            in ->
                Tree.leaf(
                    f.apply(Tree.of("a", in.get("a")).with("head", in.sub("head")), in.get("d"))));
    return Reference.evaluate(p.graph(), List.of(a, b, direction)).getFirst();
  }

  /** grad . d of a learner's loss, and the loss's central difference along d. */
  private static double[] slopes(
      MetaLearner learner, BiFunction<Tree<Expr>, Tree<Expr>, Expr> loss) {
    double[] a = random(3, 20);
    double[] b = random(4, 15);
    double[] d = random(5, 35);
    double exact =
        evaluate(
            (w, dir) -> {
              Tree<Expr> g = Grad.grad(v -> learner.taskLoss(v, task()), w);
              Expr first = g.get("a").reshape(20).mul(dir.slice(0, 0, 20)).sum();
              return first.add(g.get("head/b").reshape(15).mul(dir.slice(0, 20, 35)).sum());
            },
            a,
            b,
            d)[0];
    double h = 1e-5;
    double[] difference = new double[2];
    for (int side = 0; side < 2; side++) {
      double s = side == 0 ? h : -h;
      double[] a2 = a.clone();
      double[] b2 = b.clone();
      for (int i = 0; i < 35; i++) {
        if (i < 20) {
          a2[i] += s * d[i];
        } else {
          b2[i - 20] += s * d[i];
        }
      }
      difference[side] =
          evaluate(
              (w, dir) ->
                  loss.apply(
                      w,
                      Tree.of("a", Expr.data(Type.f32(4, 5), a))
                          .with("head", Tree.of("b", Expr.data(Type.f32(5, 3), b)))),
              a2,
              b2,
              d)[0];
    }
    return new double[] {exact, (difference[0] - difference[1]) / (2 * h)};
  }

  @Test
  void theSecondOrderGradientIsThatOfTheLoss() {
    MetaLearner maml = new Maml(SMOOTH, SMOOTH, 3, 0.5, Order.SECOND);
    double[] s = slopes(maml, (w, w0) -> maml.taskLoss(w, task()));
    assertThat(s[0]).isCloseTo(s[1], within(1e-4 * Math.abs(s[1])));
  }

  @Test
  void theFirstOrderGradientFreezesTheInnerGradients() {
    // With the inner gradients fixed at w0, the adapted weights are w - sum of constants.
    Maml first = new Maml(SMOOTH, SMOOTH, 3, 0.5, Order.FIRST);
    double[] s =
        slopes(
            first,
            (w, w0) -> {
              Tree<Expr> moved = first.adapt(w0, task().support());
              Tree<Expr> fast = w.zip(moved.zip(w0, Expr::sub), Expr::add);
              return SMOOTH.of(fast, task().query());
            });
    assertThat(s[0]).isCloseTo(s[1], within(1e-4 * Math.abs(s[1])));
    // And it differs from the exact one, so that the test could tell.
    double[] exact =
        slopes(
            new Maml(SMOOTH, SMOOTH, 3, 0.5, Order.SECOND),
            (w, w0) -> SMOOTH.of(w, task().query()));
    assertThat(Math.abs(exact[0] - s[0])).isGreaterThan(0.01 * Math.abs(s[0]));
  }

  @ParameterizedTest
  @EnumSource(Leaves.Choice.class)
  void onlyTheChosenLeavesAdapt(Leaves.Choice choice) {
    Leaves leaves = new Leaves(choice, "head");
    assertThat(leaves.contain("head/b")).isEqualTo(choice != Leaves.Choice.EXCEPT);
    assertThat(leaves.contain("a")).isEqualTo(choice != Leaves.Choice.ONLY);
    assertThat(leaves.contain("heads/b")).isEqualTo(choice != Leaves.Choice.ONLY);
  }

  @Test
  void intrinsicDimensionOfKnownCovariance() {
    // Axis-aligned, variances 8, 4, 2, 1, 1/2, 1/4, then rotated by random plane rotations.
    int n = 4000;
    int d = 6;
    double[][] x = new double[n][d];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < d; k++) {
        x[i][k] = Math.sqrt(8.0 / (1 << k)) * Key.of(1).normal((long) i * d + k) + 3;
      }
      for (int k = 0; k + 1 < d; k++) {
        double u = x[i][k];
        double v = x[i][k + 1];
        x[i][k] = 0.6 * u - 0.8 * v;
        x[i][k + 1] = 0.8 * u + 0.6 * v;
      }
    }
    IntrinsicDimension id = IntrinsicDimension.of(x);
    double total = 15.75;
    assertThat(id.id90()).isEqualTo(4); // 12/15.75 = 0.76, 14/15.75 = 0.89, 15/15.75 = 0.95
    double entropy = 0;
    for (int k = 0; k < d; k++) {
      double v = 8.0 / (1 << k);
      assertThat(id.variances()[k]).isCloseTo(v, within(0.1 * v));
      entropy -= v / total * Math.log(v / total);
    }
    assertThat(id.effectiveRank()).isCloseTo(Math.exp(entropy), within(0.1));
  }

  @Test
  void eigenvaluesKeepTraceAndDeterminant() {
    double[] values =
        IntrinsicDimension.eigenvalues(new double[][] {{2, -1, 0}, {-1, 2, -1}, {0, -1, 2}});
    assertThat(values[0]).isCloseTo(2 + Math.sqrt(2), within(1e-12));
    assertThat(values[1]).isCloseTo(2, within(1e-12));
    assertThat(values[2]).isCloseTo(2 - Math.sqrt(2), within(1e-12));
  }

  @Test
  void accuracyHasItsInterval() {
    Accuracy a = Accuracy.of(0.2, 0.4, 0.6, 0.8);
    assertThat(a.mean()).isCloseTo(0.5, within(1e-12));
    assertThat(a.halfWidth()).isCloseTo(1.96 * Math.sqrt(0.2 / 3) / 2, within(1e-12));
    assertThat(a).hasToString("50.0 ± 25.3");
  }

  static List<String> names() {
    return MetaLearners.names();
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyNameHasAMethod(String name) {
    boolean atOnce = name.startsWith("protonet") || name.startsWith("rfs");
    try (Tiny tiny = new Tiny()) {
      Method m = tiny.method(name);
      assertThat(m.name()).isEqualTo(name);
      assertThat(m.evaluation().steps()).isEqualTo(atOnce ? 0 : 2);
    }
  }

  /** What a name puts together; the parts themselves are tested against their formulas. */
  @Test
  void namesPutTheRightPartsTogether() {
    try (Tiny tiny = new Tiny()) {
      MetaLearners.More more =
          new MetaLearners.More(
              0, 10, 0, null, 3, 0.25, 0.75, MetaLearners.Regularizer.CROSS_ENTROPY);
      MetaLearners.Options options =
          new MetaLearners.Options(4, 0.3, Order.FIRST, new FgsmRs(new Linf(0.1)), 0.6, 0.4, more);
      Function<String, MetaLearner> training =
          name -> MetaLearners.named(name, tiny.model, options).training();
      assertThat(((Maml) training.apply("maml")).adapted()).isEqualTo(Leaves.ALL);
      assertThat(((Maml) training.apply("anil")).adapted()).isEqualTo(Leaves.only("head"));
      assertThat(((Maml) training.apply("boil")).adapted()).isEqualTo(Leaves.except("head"));
      assertThat(((Maml) training.apply("ranil-out")).adapted()).isEqualTo(Leaves.only("head"));
      assertThat(((MultiStepMaml) training.apply("msl")).importance())
          .containsExactly(0.25, 0.25, 0.25, 0.25);
      assertThat(((TradesOnAll) training.apply("rmaml-trades-ul")).beta()).isEqualTo(0.6);
      WithAuxiliary contrastive = (WithAuxiliary) training.apply("rmaml-cl");
      assertThat(contrastive.weight()).isEqualTo(0.25);
      assertThat(((InstanceContrast) contrastive.auxiliary()).temperature()).isEqualTo(0.75);
      assertThat(((Maml) contrastive.base()).rate()).isEqualTo(0.3);
      Mavrl views = (Mavrl) training.apply("mavrl");
      assertThat(views.lambda()).isEqualTo(0.6);
      assertThat(views.agreement()).isEqualTo(0.25);
      assertThat(views.temperature()).isEqualTo(0.75);
      assertThat(views.attack()).isEqualTo(options.attack());
      assertThat(((LogisticHead) training.apply("rfs")).copies()).isEqualTo(3);
      assertThat(MetaLearners.named("protonet-aq", tiny.model, options).attack())
          .contains(options.attack());
      assertThat(MetaLearners.named("protonet", tiny.model, options).attack()).isEmpty();
    }
  }

  @Test
  void unknownNamesGetTheNearest() {
    try (Tiny tiny = new Tiny()) {
      assertThatThrownBy(() -> tiny.method("rmaml-ot"))
          .hasMessage("unknown meta-learner 'rmaml-ot'; did you mean 'rmaml-out'?");
    }
  }
}
