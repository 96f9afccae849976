package dev.vauban.meta.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.LearnedOptimizer.Input;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TunerTest {
  private static final Tuner LSTM = Tuner.learned(new LearnedOptimizer(8, Input.LOG_AND_SIGN, 0.1));
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private Tree<Tensor> weights(Tuner tuner, long seed) {
    return Weight.init(tuner.weights(), scope, Key.of(seed));
  }

  private static Quadratics quadratics(String name, int n) {
    return new Quadratics(name, n, 0, Key.of(n));
  }

  private double after(Tuner tuner, Tree<Tensor> weights, Problems problems, int steps) {
    try (TunerEvaluation e =
        TunerEvaluation.compile(device, tuner, problems, 32, Gradients.exact())) {
      return e.run(weights, 1_000_000, steps, Key.of(1)).get(steps - 1).mean("loss");
    }
  }

  /**
   * Learned on problems of 6 and of 10 variables at once, it beats gradient descent of any constant
   * rate on problems of 14.
   */
  @Test
  void aLearnedTunerBeatsGradientDescentOnOtherShapes() {
    List<Problems> families = List.of(quadratics("six", 6), quadratics("ten", 10));
    Quadratics others = quadratics("fourteen", 14);
    double best = Double.MAX_VALUE;
    for (double rate : new double[] {0.3, 1, 2, 3, 5}) {
      best = Math.min(best, after(Tuner.of(Optimizers.sgd(rate)), Tree.empty(), others, 20));
    }
    try (TunerTrainer trainer =
        TunerTrainer.compile(
            device,
            LSTM,
            families,
            16,
            Unroll.of(20, 1),
            Gradients.exact(),
            weights(LSTM, 3),
            Optimizers.adam(0.01).clippedByNorm(1),
            Key.of(4))) {
      double untrained = after(LSTM, weights(LSTM, 3), others, 20);
      while (trainer.number() < 300) {
        trainer.step();
      }
      assertThat(after(LSTM, trainer.weights(), others, 20))
          .isLessThan(0.8 * best)
          .isLessThan(0.5 * untrained);
    }
  }

  /** The meta-loss is the weighted sum of what evaluation finds after every step. */
  @ParameterizedTest
  @EnumSource(Problems.Part.class)
  void theMetaLossIsThatOfTheStepsOnTheRightData(Problems.Part judged) {
    Quadratics problems = new Quadratics("q", 4, 0.5, Key.of(7));
    String figure = judged == Problems.Part.UNSEEN ? "loss_unseen" : "loss";
    Unroll unroll = new Unroll(3, 2, Unroll.Weighting.RISING, judged);
    Tree<Tensor> phi = weights(LSTM, 5);
    double[] losses = new double[6];
    try (TunerEvaluation e =
        TunerEvaluation.compile(device, LSTM, problems, 4, Gradients.exact())) {
      List<TunerEvaluation.Point> points = e.run(phi, 0, 6, Key.of(1));
      points.forEach(p -> losses[p.step() - 1] = p.mean(figure));
    }
    try (TunerTrainer trainer = still(List.of(problems), 4, unroll, phi)) {
      trainer.step();
      assertThat(trainer.loss())
          .isCloseTo((losses[0] + 2 * losses[1] + 3 * losses[2]) / 6, within(1e-5));
      trainer.step(); // the second segment goes on where the first ended
      assertThat(trainer.loss(problems))
          .isCloseTo((losses[3] + 2 * losses[4] + 3 * losses[5]) / 6, within(1e-5));
      trainer.step(); // new problems
      assertThat(trainer.loss()).isNotCloseTo(losses[0], within(1e-3));
    }
  }

  /** A trainer that does not move: gradient descent at rate 0. */
  private TunerTrainer still(
      List<Problems> families, int tasks, Unroll unroll, Tree<Tensor> weights) {
    return TunerTrainer.compile(
        device,
        LSTM,
        families,
        tasks,
        unroll,
        Gradients.exact(),
        weights,
        Optimizers.sgd(0),
        Key.of(6));
  }

  /**
   * The meta-gradient against differences of the meta-loss, in double precision, on problems whose
   * gradient does not depend on where they are: there a constant gradient is the exact one.
   */
  @Test
  void theMetaGradientGoesThroughAllSteps() {
    Problems slope = new Slopes();
    Unroll unroll = Unroll.of(2, 1);
    Tree<Tensor> phi = weights(LSTM, 8);
    try (Device reference = Device.open("reference")) {
      Tree<Tensor> moved = moved(reference, slope, unroll, phi, 1).weights;
      for (String path : List.of("cell/wi", "cell/wh", "cell/bi", "out")) {
        for (int i : new int[] {0, 5}) {
          double gradient = phi.get(path).get(i) - moved.get(path).get(i);
          double h = 1e-2;
          double up = moved(reference, slope, unroll, with(phi, path, i, h), 0).loss;
          double down = moved(reference, slope, unroll, with(phi, path, i, -h), 0).loss;
          assertThat(gradient)
              .as("%s[%d]", path, i)
              .isCloseTo((up - down) / (2 * h), within(1e-4 + 5e-3 * Math.abs(gradient)));
        }
      }
      // The recurrent weights matter from the second step on.
      Tree<Tensor> one = moved(reference, slope, Unroll.of(1, 1), phi, 1).weights;
      assertThat(one.get("cell/wh").toDoubles()).isEqualTo(phi.get("cell/wh").toDoubles());
      assertThat(moved.get("cell/wh").toDoubles()).isNotEqualTo(phi.get("cell/wh").toDoubles());
    }
  }

  private record Moved(Tree<Tensor> weights, double loss) {}

  private Moved moved(
      Device on, Problems problems, Unroll unroll, Tree<Tensor> weights, double rate) {
    try (TunerTrainer trainer =
        TunerTrainer.compile(
            on,
            Tuner.learned(new LearnedOptimizer(8, Input.LOG_AND_SIGN, 2)),
            List.of(problems),
            2,
            unroll,
            Gradients.exact(),
            weights,
            Optimizers.sgd(rate),
            Key.of(6))) {
      trainer.step();
      return new Moved(scope.copies(trainer.weights()), trainer.loss());
    }
  }

  private Tree<Tensor> with(Tree<Tensor> tree, String path, int i, double more) {
    Tree<Tensor> changed = scope.copies(tree);
    changed.get(path).set(i, changed.get(path).get(i) + more);
    return changed;
  }

  /** a v for tuning, the square of |v - a| for judging. */
  private record Slopes() implements Problems {
    @Override
    public String name() {
      return "slopes";
    }

    @Override
    public Tree<Type> own() {
      return Tree.of("a", Type.f32(3));
    }

    @Override
    public void fill(long first, Tree<Tensor> problems) {
      problems.get("a").set(1.0, -0.02, 0.5, -2.0, 0.3, 0.001);
    }

    @Override
    public Tree<Type> variables() {
      return Tree.of("v", Type.f32(3));
    }

    @Override
    public Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own) {
      Expr v = variables.get("v");
      Expr a = own.get("a");
      return part == Part.TUNED_ON ? v.mul(a).sum() : v.sub(a).square().sum();
    }

    @Override
    public int queries() {
      return 1;
    }
  }

  /** Stopped in the middle of a problem and restored elsewhere, it goes on to the same bits. */
  @Test
  void aRestoredTrainingGoesOnToTheSameBits() {
    List<Problems> families = List.of(quadratics("a", 3), quadratics("b", 5));
    Unroll unroll = Unroll.of(2, 3);
    double[] whole;
    Tree<Tensor> state;
    try (TunerTrainer trainer = learning(families, unroll)) {
      for (int i = 0; i < 4; i++) {
        trainer.step();
      }
      state = scope.copies(trainer.state());
      for (int i = 0; i < 4; i++) {
        trainer.step();
      }
      whole = trainer.weights().get("out").toDoubles();
    }
    try (TunerTrainer trainer = learning(families, unroll)) {
      trainer.restore(state);
      assertThat(trainer.number()).isEqualTo(4);
      while (trainer.number() < 8) {
        trainer.step();
      }
      assertThat(trainer.weights().get("out").toDoubles()).isEqualTo(whole);
      assertThatThrownBy(() -> trainer.restore(state.sub("weights")))
          .isInstanceOf(ShapeException.class)
          .hasMessage("this is not the state of a training on these problems");
    }
  }

  private TunerTrainer learning(List<Problems> families, Unroll unroll) {
    return TunerTrainer.compile(
        device,
        LSTM,
        families,
        3,
        unroll,
        new Gradients.Estimated(4, 0.01),
        weights(LSTM, 1),
        Optimizers.adam(0.01),
        Key.of(2));
  }

  /** MAML's way: the start is learned, through gradient descent, and serves one shape only. */
  @Test
  void aStartCanBeLearnedInstead() {
    Quadratics near = new Quadratics("near", 4, 0, Key.of(3));
    Tuner maml = Tuner.startingWell(near.variables(), Optimizers.sgd(0.2));
    assertThat(maml.weights().paths().keySet()).containsExactly("start/v");
    // Problems with a common minimum: only a start can know it.
    Problems common = new Common();
    Tuner tuner = Tuner.startingWell(common.variables(), Optimizers.sgd(0.01));
    double before = after(tuner, weights(tuner, 0), common, 1);
    try (TunerTrainer trainer =
        TunerTrainer.compile(
            device,
            tuner,
            List.of(common),
            2,
            Unroll.of(1, 1),
            Gradients.exact(),
            weights(tuner, 0),
            Optimizers.adam(0.1),
            Key.of(6))) {
      while (trainer.number() < 100) {
        trainer.step();
      }
      assertThat(before).isCloseTo(9 * 0.98 * 0.98, within(1e-4));
      assertThat(after(tuner, trainer.weights(), common, 1)).isLessThan(0.01);
    }
    assertThatThrownBy(() ->
            TunerEvaluation.compile(device, maml, quadratics("five", 5), 2, Gradients.exact()))
        .hasMessageContaining("this start was learned for variables");
  }

  /** (v - 3)^2. */
  private record Common() implements Problems {
    @Override
    public String name() {
      return "common";
    }

    @Override
    public Tree<Type> own() {
      return Tree.of("zero", Type.f32());
    }

    @Override
    public void fill(long first, Tree<Tensor> problems) {}

    @Override
    public Tree<Type> variables() {
      return Tree.of("v", Type.f32());
    }

    @Override
    public Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own) {
      return variables.get("v").sub(3).add(own.get("zero")).square();
    }

    @Override
    public int queries() {
      return 1;
    }
  }

  /**
   * On a linear loss of d variables: unbiased, its cosine with the gradient about sqrt(q / (d +
   * q)), from q + 1 values of the loss.
   */
  @Test
  void estimatesPointAlongTheGradient() {
    int d = 60;
    int q = 20;
    Gradients estimated = new Gradients.Estimated(q, 0.01);
    assertThat(estimated.values()).isEqualTo(21);
    assertThat(TunerEvaluation.queries(quadratics("q", 3), estimated)).isEqualTo(21);
    assertThat(TunerEvaluation.queries(quadratics("q", 3), Gradients.exact())).isZero();
    double[] a = new double[d];
    for (int i = 0; i < d; i++) {
      a[i] = Key.of(1).normal(i);
    }
    int times = 400;
    Expr numbers = Expr.iota(new Type(DType.I32, Shape.of(times)), 0);
    Program program =
        Program.trace(
            Tree.of("a", Type.f32(d), "key", Type.i32(2)),
            in ->
                Vmap.vmap(
                    i ->
                        estimated.at(
                            v -> v.get("v").mul(in.get("a")).sum().add(5),
                            Tree.of("v", Expr.fill(Type.f32(d), 0.5)),
                            in.get("key").fold(i.value())),
                    Tree.leaf(numbers)));
    Tree<Tensor> out;
    try (Plan plan = device.compile(program)) {
      Tensor at = scope.tensor(Type.f32(d)).set(a);
      Tensor key = scope.tensor(Type.i32(2)).set(3.0, 4.0);
      out = plan.run(scope, Tree.of("a", at, "key", key));
    }
    double cosines = 0;
    double[] mean = new double[d];
    for (int t = 0; t < times; t++) {
      double dot = 0;
      double gg = 0;
      double aa = 0;
      for (int i = 0; i < d; i++) {
        double g = out.get("v").get((long) t * d + i);
        mean[i] += g / times;
        dot += g * a[i];
        gg += g * g;
        aa += a[i] * a[i];
      }
      cosines += dot / Math.sqrt(gg * aa) / times;
    }
    assertThat(cosines).isCloseTo(Math.sqrt((double) q / (d + q)), within(0.03));
    double error = 0;
    double norm = 0;
    for (int i = 0; i < d; i++) {
      error += (mean[i] - a[i]) * (mean[i] - a[i]);
      norm += a[i] * a[i];
    }
    // sqrt(d / (q times)) is 0.087.
    assertThat(Math.sqrt(error / norm)).isLessThan(0.15);
  }

  @Test
  void mistakesGetOneSentence() {
    assertThatThrownBy(() -> still(List.of(), 1, Unroll.of(1, 1), weights(LSTM, 1)))
        .hasMessageContaining("at least 1 family");
    List<Problems> twice = List.of(quadratics("a", 3), quadratics("a", 4));
    assertThatThrownBy(() -> still(twice, 1, Unroll.of(1, 1), weights(LSTM, 1)))
        .hasMessage("families have names that differ, not [a, a]");
    assertThatThrownBy(() -> Unroll.of(0, 1)).hasMessageContaining("at least 1 step");
    assertThatThrownBy(() -> new Gradients.Estimated(0, 1)).hasMessageContaining("1 direction");
    assertThatThrownBy(
            () -> TunerEvaluation.compile(device, LSTM, twice.getFirst(), 0, Gradients.exact()))
        .hasMessage("at least 1 problem is needed, not 0");
  }
}
