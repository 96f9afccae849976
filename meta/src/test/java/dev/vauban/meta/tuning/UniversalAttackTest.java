package dev.vauban.meta.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.adversarial.UniversalPerturbation;
import dev.vauban.meta.TrainedClassifier;
import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.GlyphCounts;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Victims for glyphs of 12 and of 16 pixels a side. */
class UniversalAttackTest {
  private static final double EPS = 0.2;
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();
  private final FewShotData twelve = glyphs(12);
  private final FewShotData sixteen = glyphs(16);
  private final TrainedClassifier victim = victim(twelve.all());
  private final UniversalAttack problems = problems("twelve", victim);

  private static FewShotData glyphs(int size) {
    return DataSets.open(
        "glyphs", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(6, 1, 1, 20)).withSize(size));
  }

  private TrainedClassifier victim(ImageSet classes) {
    Model net = Models.named("cnn-8-16", classes.blockShape().without(0), classes.classCount());
    return TrainedClassifier.trained(
        scope, device, net, classes, classes, 250, Optimizers.adam(3e-3), Key.of(1));
  }

  private UniversalAttack problems(String name, TrainedClassifier v) {
    ImageSet right = v.correct(device, v.classes(), 4);
    return new UniversalAttack(
        name,
        v,
        new EpisodeSampler(right, 2, 2, 2, Key.of(2)),
        new UniversalPerturbation(EPS, 1, 0));
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
    twelve.close();
    sixteen.close();
  }

  private List<TunerEvaluation.Point> tune(
      Tuner tuner, Tree<Tensor> weights, UniversalAttack on, int steps) {
    try (TunerEvaluation e = TunerEvaluation.compile(device, tuner, on, 16, Gradients.exact())) {
      return e.run(weights, 0, steps, Key.of(3));
    }
  }

  private static Optimizer pushing(double direction) {
    return Optimizers.sgd(1000).after(g -> g.map(e -> Expr.fill(e.type(), -direction)));
  }

  @Test
  void theVictimKnowsItsClasses() {
    assertThat(problems.sampler().set().size()).isGreaterThan(7 * 20);
    // An unperturbed image is right by construction, so nothing succeeds without a perturbation.
    Tuner still = Tuner.of(Optimizers.sgd(0));
    TunerEvaluation.Point p = tune(still, Tree.empty(), problems, 1).getFirst();
    assertThat(p.mean("success")).isZero();
    assertThat(p.mean("success_unseen")).isZero();
    assertThat(p.mean("linf")).isZero();
    // Another victim, of no training, is right by chance alone.
    TrainedClassifier untrained =
        new TrainedClassifier(
            victim.model(), victim.model().init(scope, Key.of(9)), victim.classes());
    assertThat(untrained.correct(device, victim.classes(), 1).size())
        .isLessThan(problems.sampler().set().size() / 2);
  }

  /** Following gradients beats patterns that ignore them, within the same bound. */
  @Test
  void gradientsFoolUnseenImages() {
    Tuner pgd = Tuner.of(Optimizers.sgd(0.05).after(g -> g.map(Expr::sign)));
    List<TunerEvaluation.Point> points = tune(pgd, Tree.empty(), problems, 20);
    TunerEvaluation.Point end = points.getLast();
    double up =
        tune(Tuner.of(pushing(1)), Tree.empty(), problems, 1).getFirst().mean("success_unseen");
    double down =
        tune(Tuner.of(pushing(-1)), Tree.empty(), problems, 1).getFirst().mean("success_unseen");
    assertThat(end.mean("success_unseen")).isGreaterThan(Math.max(up, down) + 0.15);
    assertThat(end.mean("success")).isGreaterThanOrEqualTo(points.getFirst().mean("success"));
    assertThat(end.mean("loss")).isLessThan(points.getFirst().mean("loss"));
    for (TunerEvaluation.Point p : points) {
      assertThat(Arrays.stream(p.values().get("linf"))).allMatch(v -> v <= EPS + 1e-6);
      assertThat(p.mean("l1")).isLessThanOrEqualTo(EPS * 144 + 1e-4);
      assertThat(p.mean("l2")).isLessThanOrEqualTo(EPS * 12 + 1e-5);
    }
  }

  /** Learned on images of two sizes at once, by values of the loss alone too. */
  @Test
  void oneTunerServesImagesOfSeveralSizes() {
    UniversalAttack large = problems("sixteen", victim(sixteen.all()));
    Tuner lft = Tuner.learned(new LearnedOptimizer(6, LearnedOptimizer.Input.LOG_AND_SIGN, 0.1));
    Tree<Tensor> start = Weight.init(lft.weights(), scope, Key.of(4));
    try (TunerTrainer trainer =
        TunerTrainer.compile(
            device,
            lft,
            List.of(problems, large),
            4,
            Unroll.of(5, 2),
            Gradients.exact(),
            start,
            Optimizers.adam(0.01),
            Key.of(5))) {
      while (trainer.number() < 60) {
        trainer.step();
      }
      for (UniversalAttack on : List.of(problems, large)) {
        double before = tune(lft, start, on, 5).getLast().mean("loss_unseen");
        double after = tune(lft, trainer.weights(), on, 5).getLast().mean("loss_unseen");
        assertThat(after).as(on.name()).isLessThan(before - 0.5);
      }
    }
    Gradients estimates = new Gradients.Estimated(10, 0.01);
    assertThat(TunerEvaluation.queries(problems, estimates)).isEqualTo(4 * 11);
    try (TunerEvaluation e =
        TunerEvaluation.compile(device, Tuner.of(Optimizers.adam(0.05)), problems, 8, estimates)) {
      List<TunerEvaluation.Point> points = e.run(Tree.empty(), 0, 20, Key.of(6));
      assertThat(points.getLast().mean("loss")).isLessThan(points.getFirst().mean("loss") - 0.5);
      assertThat(e.variables().get("delta").shape().dims()).containsExactly(8, 12, 12, 1);
    }
  }

  @Test
  void imagesMustBeTheVictims() {
    EpisodeSampler others = new EpisodeSampler(sixteen.all(), 2, 2, 2, Key.of(1));
    assertThatThrownBy(() -> new UniversalAttack("x", victim, others, problems.perturbation()))
        .hasMessageContaining("a selection of the victim's");
    assertThatThrownBy(() -> new TrainedClassifier(victim.model(), victim.weights(), sixteen.all()))
        .hasMessageContaining("does not fit");
    Model tooFew = Models.named("cnn-8-16", victim.model().input(), 3);
    assertThatThrownBy(() -> new TrainedClassifier(tooFew, victim.weights(), victim.classes()))
        .hasMessageContaining("3 classes does not fit");
    assertThat(problems.variables().get("delta")).isEqualTo(Type.f32(12, 12, 1));
  }
}
