package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cuda.FakeCard;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
  private static final Model MODEL = Models.named("conv4-strided-4", Shape.of(8, 8, 1), 3);
  private static final Batch<Type> TYPES = new Batch<>(Type.f32(6, 8, 8, 1), Type.i32(6));

  /** A loss that draws numbers, so that keys matter: inputs with noise. */
  private static Objective.Value noisy(Tree<Expr> w, Tree<Expr> batch, Expr key) {
    Expr x = batch.get("x");
    Expr logits = MODEL.logits(w, x.add(key.normal(x.shape()).mul(0.1)));
    Expr loss = Losses.crossEntropy(logits, batch.get("y")).mean();
    return new Objective.Value(
        loss, Tree.of("accuracy", Losses.accuracy(logits, batch.get("y")), "logits", logits));
  }

  private static Trainer trainer(Device device, Scope scope, Key key) {
    Optimizer adam = Optimizers.adam(Schedule.cosine(1e-2, 1e-4, 50)).clippedByNorm(1);
    return Trainer.compile(
        device, TrainerTest::noisy, TYPES.tree(), MODEL.init(scope, Key.of(1)), adam, key);
  }

  /** Batch number i: blobs whose column says the class. */
  private static Batch<Tensor> batch(Scope scope, int i) {
    Tensor x = scope.tensor(TYPES.x());
    Tensor y = scope.tensor(TYPES.y());
    Key key = Key.of(99).fold(i);
    for (int n = 0; n < 6; n++) {
      int label = key.index(n, 3);
      y.set(n, label);
      for (int p = 0; p < 64; p++) {
        boolean blob = p % 8 / 3 == label;
        x.set(n * 64L + p, (blob ? 1 : 0) + 0.2 * key.uniform(100 + n * 64L + p));
      }
    }
    return new Batch<>(x, y);
  }

  @ParameterizedTest
  @EnumSource(FailingDevice.Call.class)
  void aStepThatCannotBeMadeLeavesNothingBehind(FailingDevice.Call call) {
    try (FailingDevice device = new FailingDevice(call);
        Scope scope = Scope.open()) {
      assertThatThrownBy(() -> trainer(device, scope, Key.of(3)))
          .isInstanceOf(OutOfMemoryError.class);
      assertThat(device.open()).isEmpty();
      for (String input : List.of("state/step", "batch/x")) {
        assertThatThrownBy(() -> device.bound().get(input).get(0))
            .isInstanceOf(ClosedException.class);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu:1"})
  void itLearns(String name) {
    try (Device device = Device.open(name);
        Scope scope = Scope.open();
        Trainer t = trainer(device, scope, Key.of(3))) {
      double first = 0;
      double last = 0;
      for (int i = 0; i < 40; i++) {
        Tree<Tensor> metrics = t.step(batch(scope, i));
        assertThat(metrics.get("loss").get(0)).isEqualTo(t.loss());
        first += i < 5 ? t.loss() / 5 : 0;
        last += i >= 35 ? t.loss() / 5 : 0;
      }
      assertThat(t.number()).isEqualTo(40);
      assertThat(t.metrics().get("logits").shape()).isEqualTo(Shape.of(6, 3));
      assertThat(last).isLessThan(first / 2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reference", "cpu:1"})
  void aResumedRunIsBitIdentical(String name, @TempDir Path folder) {
    Path file = folder.resolve("state.safetensors");
    try (Device device = Device.open(name);
        Scope scope = Scope.open()) {
      Map<String, Tensor> whole;
      try (Trainer t = trainer(device, scope, Key.of(3))) {
        for (int i = 0; i < 7; i++) {
          t.step(batch(scope, i));
        }
        Safetensors.write(file, t.state());
        for (int i = 7; i < 12; i++) {
          t.step(batch(scope, i));
        }
        whole = scope.copies(t.state()).paths();
      }
      // Another seed: the restored state must bring its own key.
      try (Trainer t = trainer(device, scope, Key.of(12345))) {
        t.restore(Safetensors.read(file, t.stateTypes(), scope).tensors());
        assertThat(t.number()).isEqualTo(7);
        for (int i = 7; i < 12; i++) {
          t.step(batch(scope, i));
        }
        t.state()
            .paths()
            .forEach((path, tensor) ->
                assertThat(tensor.segment().mismatch(whole.get(path).segment()))
                    .as(path)
                    .isEqualTo(-1));
      }
    }
  }

  /** On a card the next batch is written while a step is under way. */
  @Test
  void twoStepsMayBeUnderWayOnACard() {
    try (Device device = FakeCard.open();
        Scope scope = Scope.open();
        Trainer inTurn = trainer(device, scope, Key.of(3));
        Trainer ahead = trainer(device, scope, Key.of(3))) {
      copy(batch(scope, 0).tree(), ahead.batch());
      ahead.start();
      for (int i = 0; i < 6; i++) {
        inTurn.step(batch(scope, i));
        copy(batch(scope, i + 1).tree(), ahead.batch());
        ahead.start();
        ahead.finish();
        assertThat(ahead.number()).isEqualTo(i + 1);
        assertThat(ahead.loss()).isEqualTo(inTurn.loss());
      }
      Map<String, Tensor> expected = inTurn.state().paths();
      ahead
          .state()
          .paths()
          .forEach((path, t) ->
              assertThat(t.toDoubles()).as(path).isEqualTo(expected.get(path).toDoubles()));
      ahead.finish();
      assertThat(ahead.number()).isEqualTo(7);
    }
  }

  private static void copy(Tree<Tensor> from, Tree<Tensor> to) {
    to.paths().forEach((path, t) -> t.copyFrom(from.get(path)));
  }

  /** Every step draws other numbers, the same ones from the same seed. */
  @Test
  void keysFollowTheStep() {
    try (Device device = Device.open("reference");
        Scope scope = Scope.open()) {
      double[] a = draws(device, scope, Key.of(1));
      double[] b = draws(device, scope, Key.of(1));
      double[] c = draws(device, scope, Key.of(2));
      assertThat(a).isEqualTo(b).isNotEqualTo(c).doesNotHaveDuplicates();
      Key key = Key.of(1).fold(2);
      try (var plan =
          device.compile(
              dev.vauban.tensor.Program.trace(
                  Tree.leaf(Type.i32(2)), k -> Tree.of("u", k.value().uniform(Shape.of(1)))))) {
        Tensor u = plan.run(scope, Tree.leaf(scope.key(key))).get("u");
        assertThat(a[2]).isEqualTo(u.get(0));
      }
    }
  }

  private static double[] draws(Device device, Scope scope, Key key) {
    Objective objective =
        (w, batch, k) ->
            new Objective.Value(w.get("w").square(), Tree.of("u", k.uniform(Shape.of(1))));
    Tree<Tensor> w = Tree.of("w", scope.tensor(Type.f32()));
    try (Trainer t =
        Trainer.compile(
            device, objective, Tree.of("none", Type.f32()), w, Optimizers.sgd(0.1), key)) {
      double[] out = new double[4];
      for (int i = 0; i < out.length; i++) {
        t.step();
        out[i] = t.metrics().get("u").get(0);
      }
      return out;
    }
  }

  @Test
  void aStateOfAnotherKindIsRefused() {
    try (Device device = Device.open("reference");
        Scope scope = Scope.open();
        Trainer t = trainer(device, scope, Key.of(3))) {
      Tree<Tensor> other = t.state().with("step", scope.tensor(Type.of(DType.F32)));
      assertThatThrownBy(() -> t.restore(other))
          .isInstanceOf(ShapeException.class)
          .hasMessage("state 'step' is f32[], not i32[]");
      Batch<Tensor> small = new Batch<>(scope.tensor(Type.f32(2, 8, 8, 1)), batch(scope, 0).y());
      assertThatThrownBy(() -> t.step(small))
          .isInstanceOf(ShapeException.class)
          .hasMessage("batch 'x' is f32[2,8,8,1], not f32[6,8,8,1]");
    }
  }

  @Test
  void theLossIsTheTrainersOwnFigure() {
    Objective objective =
        (w, batch, k) -> new Objective.Value(w.value().square(), Tree.of("loss", w.value()));
    try (Device device = Device.open("reference");
        Scope scope = Scope.open()) {
      Tree<Tensor> w = Tree.leaf(scope.tensor(Type.f32()));
      Optimizer sgd = Optimizers.sgd(0.1);
      Tree<Type> batch = Tree.of("x", Type.f32());
      assertThatThrownBy(() -> Trainer.compile(device, objective, batch, w, sgd, Key.of(1)))
          .hasMessage(
              "an objective's metrics are a tree of names other than 'loss', which the trainer"
                  + " adds");
    }
  }

  @Test
  void aBatchWithoutKeySaysSo() {
    Batch<String> b = new Batch<>("x", "y");
    assertThatThrownBy(b::key)
        .hasMessage(
            "this loss draws random numbers but its batch has no key; use batch.withKey(key)");
    assertThat(b.withKey("k").withX("z")).isEqualTo(new Batch<>("z", "y", "k"));
  }
}
