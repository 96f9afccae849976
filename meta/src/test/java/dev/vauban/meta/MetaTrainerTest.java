package dev.vauban.meta;

import static dev.vauban.nn.Optimizers.adam;
import static dev.vauban.nn.Optimizers.sgd;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Batch;
import dev.vauban.nn.InTurn;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.data.Episode;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetaTrainerTest {
  private static final Key KEY = Key.of(77);
  private final Tiny tiny = new Tiny();
  private final Device device = Device.open("reference");

  @AfterEach
  void close() {
    device.close();
    tiny.close();
  }

  private MetaTrainer trainer(String method, int tasks, Optimizer optimizer) {
    return MetaTrainer.compile(
        device, tiny.method(method), tiny.model, tiny.train, tasks, tiny.weights, optimizer, KEY);
  }

  private static List<double[]> values(Tree<Tensor> t) {
    return t.map(Tensor::toDoubles).leaves();
  }

  /** Images [count,12,12,1] of the block, as the trainer should see them. */
  static double[] images(EpisodeSampler s, int[] indices) {
    double[] out = new double[indices.length * 144];
    for (int i = 0; i < indices.length; i++) {
      for (int p = 0; p < 144; p++) {
        out[i * 144 + p] = (s.set().image(indices[i]).get(ValueLayout.JAVA_BYTE, p) & 0xFF) / 255.0;
      }
    }
    return out;
  }

  static Expr labels(int ways, int each) {
    double[] y = new double[ways * each];
    for (int i = 0; i < y.length; i++) {
      y[i] = i / each;
    }
    return Expr.data(Type.i32(y.length), y);
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "fomaml", "anil", "rmaml-out", "rmaml-both", "aq", "adml"})
  void aStepDescendsTheMeanOfTheTasksLosses(String name) {
    int tasks = 2;
    try (MetaTrainer trainer = trainer(name, tasks, sgd(0.5))) {
      trainer.step();
      // The same task by task from the pictures, with the keys that the trainer documents.
      double[] loss = new double[tasks];
      List<double[]> mean = new ArrayList<>();
      for (int t = 0; t < tasks; t++) {
        Key key = KEY.fold(0).fold(t);
        List<double[]> one = lossAndGradient(tiny.method(name), tiny.train.episode(t), key);
        loss[t] = one.getLast()[0];
        for (int i = 0; i < one.size() - 1; i++) {
          if (t == 0) {
            mean.add(new double[one.get(i).length]);
          }
          for (int k = 0; k < mean.get(i).length; k++) {
            mean.get(i)[k] += one.get(i)[k] / tasks;
          }
        }
      }
      assertThat(trainer.loss()).isCloseTo((loss[0] + loss[1]) / 2, within(1e-6));
      List<double[]> before = values(tiny.weights);
      List<double[]> after = values(trainer.weights());
      double moved = 0;
      for (int i = 0; i < after.size(); i++) {
        for (int k = 0; k < after.get(i).length; k++) {
          double step = 0.5 * mean.get(i)[k];
          moved += Math.abs(step);
          assertThat(after.get(i)[k]).isCloseTo(before.get(i)[k] - step, within(1e-6));
        }
      }
      assertThat(moved).isGreaterThan(0.01);
    }
  }

  private List<double[]> lossAndGradient(Method method, Episode e, Key key) {
    Tree<Type> types =
        Tree.of("s", Type.f32(3, 12, 12, 1), "q", Type.f32(6, 12, 12, 1), "key", Type.i32(2))
            .with("theta", tiny.weights.map(Tensor::type));
    Program p =
        Program.trace(
            types,
            in -> {
              Expr k = in.get("key");
              Task<Expr> task =
                  new Task<>(
                      new Batch<>(in.get("s"), labels(3, 1), k.fold(0)),
                      new Batch<>(in.get("q"), labels(3, 2), k.fold(1)));
              Grad.Result r =
                  Grad.valueAndGrad(w -> method.training().taskLoss(w, task), in.sub("theta"));
              return Tree.<Expr>empty().with("g", r.gradient()).with("loss", r.value());
            });
    List<double[]> args = new ArrayList<>();
    args.add(images(tiny.train, e.support()));
    args.add(images(tiny.train, e.query()));
    args.add(new double[] {key.k0(), key.k1()});
    args.addAll(values(tiny.weights));
    return Reference.evaluate(p.graph(), args);
  }

  @Test
  void resumesToTheSameBits() {
    try (MetaTrainer straight = trainer("rmaml-out", 2, adam(0.01));
        MetaTrainer first = trainer("rmaml-out", 2, adam(0.01));
        MetaTrainer second = trainer("rmaml-out", 2, adam(0.01));
        Scope saved = Scope.open()) {
      for (int i = 0; i < 5; i++) {
        straight.step();
      }
      first.step();
      first.step();
      Tree<Tensor> state = saved.tensors(first.stateTypes());
      state.mapPaths((path, t) -> t.copyFrom(first.state().get(path)));
      second.restore(state);
      assertThat(second.number()).isEqualTo(2);
      for (int i = 0; i < 3; i++) {
        second.step();
      }
      assertThat(values(second.state()))
          .usingRecursiveComparison()
          .isEqualTo(values(straight.state()));
      assertThat(second.loss()).isEqualTo(straight.loss());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu:2", "reference"})
  void aClosedDataSetIsAnErrorAndNoCrash(String name) {
    try (Device d = Device.open(name);
        MetaTrainer trainer =
            MetaTrainer.compile(
                d, tiny.method("maml"), tiny.model, tiny.train, 2, tiny.weights, sgd(0.1), KEY)) {
      trainer.step();
      List<double[]> before = values(trainer.state());
      tiny.data.close();
      assertThatThrownBy(trainer::step)
          .isInstanceOf(ClosedException.class)
          .hasMessage("the images of glyphs were used after their set was closed");
      assertThat(trainer.number()).isEqualTo(1);
      assertThat(values(trainer.state())).usingRecursiveComparison().isEqualTo(before);
    }
  }

  @Test
  void learnsItsTrainingTasks() {
    // Six episodes again and again: the loss must fall well below that of guessing, ln 3.
    EpisodeSampler same = new EpisodeSampler(tiny.data.train().select(0, 1, 2), 3, 1, 2, Key.of(1));
    try (MetaTrainer trainer =
        MetaTrainer.compile(
            device, tiny.method("fomaml"), tiny.model, same, 2, tiny.weights, adam(0.02), KEY)) {
      double[] losses = new double[60];
      for (int i = 0; i < losses.length; i++) {
        trainer.step();
        losses[i] = trainer.loss();
      }
      double early = Arrays.stream(losses, 0, 5).average().orElseThrow();
      double late = Arrays.stream(losses, 55, 60).average().orElseThrow();
      assertThat(late).isLessThan(0.6 * early);
      assertThat(trainer.accuracy()).isBetween(0.5, 1.0);
      assertThat(trainer.robustAccuracy()).isEmpty();
    }
  }

  @Test
  void figuresShareTheLossesAdaptationAndAttack() {
    Method aq = MetaLearners.named("aq", tiny.model::logits, Tiny.options().with(Order.FIRST));
    try (MetaTrainer robust =
        MetaTrainer.compile(device, aq, tiny.model, tiny.train, 2, tiny.weights, sgd(0.1), KEY)) {
      robust.step();
      assertThat(robust.robustAccuracy()).isPresent();
      assertThat(robust.robustAccuracy().getAsDouble()).isBetween(0.0, robust.accuracy() + 1e-9);
      // Forward convolutions of four layers: two inner steps, the attack, the attacked queries, and
      // the clean queries, which only the accuracy needs. A second attack would add eight more.
      long forward =
          robust.plan().program().toString().lines().filter(l -> l.contains(" convolve ")).count();
      assertThat(forward).isEqualTo(4 * 5);
    }
  }

  /** One step of the two optimisers is one of each, with gradients that both are theta's. */
  @Test
  void twoOptimizersStepOneAfterTheOther() {
    Method method = tiny.method("rmaml-dual");
    TwoOptimizers both = (TwoOptimizers) method.training();
    Method sum =
        new Method(
            "sum",
            new Maml(
                both.maml().inner(),
                RobustLosses.sum(both.maml().outer(), both.robust(), 0.2),
                both.maml().steps(),
                both.maml().rate(),
                both.maml().order()),
            method.evaluation(),
            method.clean(),
            Tiny.options().attack());
    Map<String, Optimizer> each = new LinkedHashMap<>();
    each.put(TwoOptimizers.CLEAN, sgd(0.5));
    each.put(TwoOptimizers.ROBUST, sgd(0.1));
    try (Device device = Device.open("reference");
        MetaTrainer inTurn = trainer(device, method, new InTurn(each));
        MetaTrainer summed = trainer(device, sum, sgd(0.5))) {
      inTurn.step();
      summed.step();
      List<double[]> a = values(inTurn.weights());
      List<double[]> b = values(summed.weights());
      for (int i = 0; i < a.size(); i++) {
        assertThat(a.get(i)).containsExactly(b.get(i), within(1e-6));
      }
      assertThat(inTurn.robustAccuracy()).hasValue(summed.robustAccuracy().orElseThrow());
    }
  }

  /**
   * Every method runs and keeps its weights finite, also the ones whose theta is no weight tree.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {"maml++", "protonet", "protonet-aq", "rmaml-trades-ul", "rmaml-cl", "mavrl"})
  void stepsOfEveryKindOfLearner(String name) {
    Method method = tiny.method(name);
    try (Device device = Device.open("cpu:1");
        MetaTrainer trainer = trainer(device, method, adam(0.01))) {
      List<double[]> before = values(trainer.weights());
      double first = 0;
      for (int k = 0; k < 3; k++) {
        trainer.step();
        first = k == 0 ? trainer.loss() : first;
        assertThat(trainer.loss()).isFinite();
      }
      List<double[]> after = values(trainer.weights());
      assertThat(after).hasSameSizeAs(before);
      int still = 0;
      for (int i = 0; i < after.size(); i++) {
        assertThat(Arrays.stream(after.get(i)).allMatch(Double::isFinite)).isTrue();
        still += Arrays.equals(after.get(i), before.get(i)) ? 1 : 0;
      }
      assertThat(still).as("arrays that did not move").isZero();
    }
  }

  private MetaTrainer trainer(Device device, Method method, Optimizer optimizer) {
    return MetaTrainer.compile(
        device, method, tiny.model, tiny.train, 2, tiny.weights, optimizer, Key.of(3));
  }
}
