package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.data.Episode;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class EvaluatorTest {
  private static final Key KEY = Key.of(99);
  private final Tiny tiny = new Tiny();
  private final Device device = Device.open("reference");

  @AfterEach
  void close() {
    device.close();
    tiny.close();
  }

  private Evaluator evaluator(Protocol protocol) {
    return Evaluator.compile(
        device,
        tiny.method("maml").evaluation(),
        tiny.model,
        tiny.weights.map(Tensor::type),
        tiny.test,
        protocol);
  }

  private static Protocol protocol() {
    return Protocol.papers().at(0, 1, 3).inChunksOf(2).against(eps -> new Pgd(new Linf(eps), 4));
  }

  @Test
  void anEvaluatorThatCannotBeMadeLeavesNothingBehind() {
    try (FailingDevice failing = new FailingDevice()) {
      assertThatThrownBy(() ->
              Evaluator.compile(
                  failing,
                  tiny.method("maml").evaluation(),
                  tiny.model,
                  tiny.weights.map(Tensor::type),
                  tiny.test,
                  protocol()))
          .isInstanceOf(OutOfMemoryError.class);
      assertThat(failing.open()).isEmpty();
      assertThatThrownBy(() -> failing.bound().get("eps").get(0))
          .isInstanceOf(ClosedException.class);
    }
  }

  @Test
  void radiusZeroChangesNothing() {
    try (Evaluator e = evaluator(protocol())) {
      Evaluation r = e.run(tiny.weights, 4, 0, KEY);
      assertThat(r.robust()).isDeepEqualTo(r.clean());
    }
  }

  @ParameterizedTest
  @EnumSource(Protocol.Support.class)
  void isWhatTheProtocolSays(Protocol.Support which) {
    try (Evaluator e = evaluator(protocol().fineTuningOn(which))) {
      Evaluation r = e.run(tiny.weights, 3, Tiny.EPS, KEY);
      for (int i = 0; i < 3; i++) {
        double[][] expected = stepByStep(tiny.test.episode(i), KEY.fold(i), which);
        for (int row = 0; row < 3; row++) {
          assertThat(r.clean()[row][i]).isCloseTo(expected[0][row], within(1e-6));
          assertThat(r.robust()[row][i]).isCloseTo(expected[1][row], within(1e-6));
        }
      }
    }
  }

  /** {clean, robust} accuracies after 0, 1 and 3 steps, written out. */
  private double[][] stepByStep(Episode episode, Key key, Protocol.Support which) {
    Expr y = MetaTrainerTest.labels(3, 3);
    Program p =
        Program.trace(
            types(),
            in -> {
              MetaLearner maml = tiny.method("maml").training();
              Batch<Expr> support = new Batch<>(in.get("s"), MetaTrainerTest.labels(3, 1));
              Tree<Expr> fast = in.sub("theta");
              Tree<Expr> out = Tree.empty();
              for (int k = 0; k <= 3; k++) {
                Tree<Expr> w = fast;
                if (k != 2) {
                  Expr adv =
                      new Pgd(new Linf(Tiny.EPS), 4)
                          .perturb(
                              x -> Losses.crossEntropy(tiny.model.logits(w, x), y),
                              in.get("q"),
                              in.get("key").fold(1));
                  out = out.with("c" + k, Losses.accuracy(tiny.model.logits(w, in.get("q")), y));
                  out = out.with("r" + k, Losses.accuracy(tiny.model.logits(w, adv), y));
                }
                Batch<Expr> seen =
                    which == Protocol.Support.CLEAN
                        ? support
                        : support.withX(
                            new Pgd(new Linf(Tiny.EPS), 4)
                                .perturb(
                                    x -> Losses.crossEntropy(tiny.model.logits(w, x), support.y()),
                                    support.x(),
                                    in.get("key").fold(0).fold(k)));
                fast = maml.step(in.sub("theta"), fast, seen);
              }
              return out;
            });
    List<double[]> out = Reference.evaluate(p.graph(), arguments(episode, key));
    double[][] rows = new double[2][3];
    for (int i = 0; i < 6; i++) {
      rows[i % 2][i / 2] = out.get(i)[0];
    }
    return rows;
  }

  /** A loss that draws random numbers draws others at every step, as in training. */
  @Test
  void everyStepDrawsAnew() {
    Loss noisy =
        (w, b) -> {
          Expr noise = b.key().normal(b.x().shape()).mul(0.7);
          return Losses.crossEntropy(tiny.model.logits(w, b.x().add(noise)), b.y()).mean();
        };
    Maml learner = new Maml(noisy, noisy, 3, 0.5, Order.FIRST);
    Tree<Type> types = tiny.weights.map(Tensor::type);
    try (Evaluator e =
        Evaluator.compile(device, learner, tiny.model, types, tiny.test, protocol().at(1, 3))) {
      Evaluation r = e.run(tiny.weights, 4, 0, KEY);
      for (int i = 0; i < 4; i++) {
        double expected = adapted(learner, tiny.test.episode(i), KEY.fold(i));
        assertThat(r.clean()[1][i]).isCloseTo(expected, within(1e-6));
      }
    }
  }

  /** Clean accuracy after {@link MetaLearner#adapt}. */
  private double adapted(MetaLearner learner, Episode episode, Key key) {
    Program p =
        Program.trace(
            types(),
            in -> {
              Batch<Expr> support = new Batch<>(in.get("s"), MetaTrainerTest.labels(3, 1));
              Tree<Expr> fast =
                  learner.adapt(in.sub("theta"), support.withKey(in.get("key").fold(0)));
              Expr logits = tiny.model.logits(fast, in.get("q"));
              return Tree.leaf(Losses.accuracy(logits, MetaTrainerTest.labels(3, 3)));
            });
    return Reference.evaluate(p.graph(), arguments(episode, key)).getFirst()[0];
  }

  /** Of an episode's support and query images, its key, and the weights. */
  private Tree<Type> types() {
    return Tree.of("s", Type.f32(3, 12, 12, 1), "q", Type.f32(9, 12, 12, 1), "key", Type.i32(2))
        .with("theta", tiny.weights.map(Tensor::type));
  }

  private List<double[]> arguments(Episode episode, Key key) {
    List<double[]> arguments = new ArrayList<>();
    arguments.add(MetaTrainerTest.images(tiny.test, episode.support()));
    arguments.add(MetaTrainerTest.images(tiny.test, episode.query()));
    arguments.add(new double[] {key.k0(), key.k1()});
    arguments.addAll(tiny.weights.map(Tensor::toDoubles).leaves());
    return arguments;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu:2", "reference"})
  void aClosedDataSetIsAnErrorAndNoCrash(String name) {
    try (Device d = Device.open(name);
        Evaluator e =
            Evaluator.compile(
                d,
                tiny.method("maml").evaluation(),
                tiny.model,
                tiny.weights.map(Tensor::type),
                tiny.test,
                protocol())) {
      e.run(tiny.weights, 2, Tiny.EPS, KEY);
      tiny.data.close();
      assertThatThrownBy(() -> e.run(tiny.weights, 2, Tiny.EPS, KEY))
          .isInstanceOf(ClosedException.class)
          .hasMessage("the images of glyphs were used after their set was closed");
    }
  }

  @Test
  void chunksDoNotMatter() {
    try (Evaluator two = evaluator(protocol());
        Evaluator five = evaluator(protocol().inChunksOf(5))) {
      Evaluation a = two.run(tiny.weights, 5, Tiny.EPS, KEY);
      Evaluation b = five.run(tiny.weights, 5, Tiny.EPS, KEY);
      assertThat(a.clean()).isDeepEqualTo(b.clean());
      assertThat(a.robust()).isDeepEqualTo(b.robust());
    }
  }

  @Test
  void largerRadiiLowerTheAccuracy() {
    try (Evaluator white = evaluator(protocol())) {
      double previous = 1;
      for (double eps : new double[] {0, 0.05, 0.3}) {
        double robust = white.run(tiny.weights, 6, eps, KEY).robust(3).mean();
        assertThat(robust).isLessThanOrEqualTo(previous);
        previous = robust;
      }
      assertThat(previous).isLessThan(0.2);
    }
  }

  @Test
  void transferFromTheInitialWeightsIsWeaker() {
    // A large inner rate, so that three steps lead far away.
    MetaLearner far =
        MetaLearners.named("maml", tiny.model::logits, MetaLearners.Options.usual(2, 0.1))
            .evaluation();
    Tree<Type> types = tiny.weights.map(Tensor::type);
    try (Evaluator white =
            Evaluator.compile(device, far, tiny.model, types, tiny.test, protocol());
        Evaluator transfer =
            Evaluator.compile(
                device,
                far,
                tiny.model,
                types,
                tiny.test,
                protocol().against(Protocol.Target.INITIAL))) {
      Evaluation a = white.run(tiny.weights, 6, 0.2, KEY);
      Evaluation b = transfer.run(tiny.weights, 6, 0.2, KEY);
      assertThat(b.robust(3).mean()).isGreaterThan(a.robust(3).mean());
      // Before adaptation both attack the same weights.
      assertThat(b.robust(0)).isEqualTo(a.robust(0));
    }
  }

  @Test
  void examplesShowTheAttack() {
    List<Integer> progress = new ArrayList<>();
    try (Evaluator e = evaluator(protocol())) {
      Evaluation r = e.run(tiny.weights, 3, Tiny.EPS, KEY, 7, progress::add);
      assertThat(progress).containsExactly(2, 3);
      assertThat(r.examples()).hasSize(7);
      int[] query = tiny.test.episode(0).query();
      for (int i = 0; i < 7; i++) {
        Evaluation.Example x = r.examples().get(i);
        assertThat(x.label()).isEqualTo(i % 3);
        double[] clean =
            MetaTrainerTest.images(tiny.test, new int[] {query[x.label() * 3 + i / 3]});
        double largest = 0;
        for (int p = 0; p < 144; p++) {
          assertThat((double) x.clean()[p]).isCloseTo(clean[p], within(1e-6));
          assertThat(x.adversarial()[p]).isBetween(0f, 1f);
          largest = Math.max(largest, Math.abs(x.adversarial()[p] - x.clean()[p]));
        }
        assertThat(largest).isBetween(Tiny.EPS * 0.9, Tiny.EPS + 1e-6);
      }
    }
  }

  @Test
  void aSupportSetIsNeverAttacked() {
    // rmaml-both attacks the support set in training; its evaluation must not: it is plain MAML's.
    MetaLearner evaluation = tiny.method("rmaml-both").evaluation();
    assertThat(evaluation).isNotEqualTo(tiny.method("rmaml-both").training());
    try (Evaluator both =
            Evaluator.compile(
                device,
                evaluation,
                tiny.model,
                tiny.weights.map(Tensor::type),
                tiny.test,
                protocol());
        Evaluator maml = evaluator(protocol())) {
      assertThat(both.run(tiny.weights, 4, Tiny.EPS, KEY).robust())
          .isDeepEqualTo(maml.run(tiny.weights, 4, Tiny.EPS, KEY).robust());
    }
  }

  @Test
  void mistakesGetOneSentence() {
    assertThatThrownBy(() -> protocol().at(5, 5))
        .hasMessage("the numbers of fine-tune steps must rise from 0 or more, not [5, 5]");
    try (Evaluator e = evaluator(protocol())) {
      assertThatThrownBy(() -> e.run(tiny.weights, 2, Tiny.EPS, KEY).clean(2))
          .hasMessage("scored after [0, 1, 3] fine-tune steps, not after 2");
      assertThatThrownBy(() -> e.run(tiny.weights, 0, Tiny.EPS, KEY))
          .hasMessageContaining("at least 1 episode");
    }
  }

  /**
   * Methods that adapt at once, and one whose state counts its steps, on the episodes of others.
   */
  @ParameterizedTest
  @ValueSource(strings = {"protonet", "rfs", "maml++"})
  void otherAdaptedStates(String name) {
    Method method = tiny.method(name);
    MetaLearner learner = method.evaluation();
    Tree<Tensor> theta = method.training().init(tiny.weights, tiny.scope);
    try (Device cpu = Device.open("cpu:1");
        Evaluator e =
            Evaluator.compile(
                cpu,
                learner,
                tiny.model,
                theta.map(Tensor::type),
                tiny.test,
                protocol().at(0, 3))) {
      Evaluation weak = e.run(theta, 6, 0, KEY);
      assertThat(weak.robust()).as("nothing to gain at radius 0").isDeepEqualTo(weak.clean());
      Evaluation strong = e.run(theta, 6, 0.3, KEY);
      assertThat(strong.robust(3).mean()).isLessThan(strong.clean(3).mean() - 0.1);
      if (learner.steps() == 0) {
        assertThat(strong.clean()[0]).isEqualTo(strong.clean()[1]);
      }
    }
  }
}
