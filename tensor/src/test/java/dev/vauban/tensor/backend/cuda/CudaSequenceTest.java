package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs whose state stays on the card: what they compute, what is copied, and whether the three
 * streams wait for each other whichever of them is slow.
 */
class CudaSequenceTest {
  private static final int DATA = 5000;

  @AfterEach
  void forget() {
    FakeCuda.control().forget();
  }

  /**
   * A state of two leaves that go round and one that stays, a data set, and what each run reads.
   */
  private static Program program() {
    Tree<Type> state = Tree.of("w", Type.f32(3, 2), "n", Type.i32(), "scale", Type.f32());
    return Program.trace(
        Tree.of("data", Type.f32(DATA, 2), "rows", Type.i32(3)).with("state", state),
        in -> {
          Expr w = in.get("state/w");
          Expr n = in.get("state/n");
          Expr rows = Expr.of(new IndexOp.Gather(0), List.of(in.get("data"), in.get("rows")));
          Expr scale = in.get("state/scale").broadcastTo(Shape.of(3, 2));
          return Tree.<Expr>empty()
              .with("sum", w.sum())
              .with("state", Tree.of("w", w.mul(scale).add(rows), "n", n.add(1)));
        });
  }

  private static Tree<Tensor> inputs(Scope scope) {
    Tensor data = scope.tensor(Type.f32(DATA, 2));
    for (int i = 0; i < data.size(); i++) {
      data.set(i, i % 17 - 8);
    }
    return Tree.of("data", data, "rows", scope.tensor(Type.i32(3)));
  }

  private static Tree<Tensor> start(Scope scope) {
    return Tree.of(
        "w",
        scope.tensor(Type.f32(3, 2)).set(1, 2, 3, 4, 5, 6),
        "n",
        scope.tensor(Type.i32()).set(40),
        "scale",
        scope.tensor(Type.f32()).set(0.5));
  }

  private static final Plan.Kept KEPT = new Plan.Kept("state", Set.of("data"));

  private static void fill(Tree<Tensor> in, int run) {
    in.get("rows").set((double) run, 7 * run % DATA, DATA - 1 - run);
  }

  /** The sums of ten runs, and the states after the fifth and the last; one run ahead or none. */
  private static List<double[]> work(Device device, boolean ahead) {
    List<double[]> out = new ArrayList<>();
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program())) {
      Tree<Tensor> in = inputs(scope);
      Tensor sum = scope.tensor(Type.f32());
      try (Plan.Sequence s = plan.sequence(in, Tree.of("sum", sum), KEPT)) {
        s.state().leaves().forEach(t -> assertThat(t.toDoubles()).containsOnly(0));
        s.set(start(scope));
        int started = 0;
        for (int run = 0; run < 10; run++) {
          int last = Math.min(9, run + (ahead ? s.ahead() : 0));
          for (; started <= last; started++) {
            fill(in, started);
            s.start();
            fill(in, 99); // too late for that run
          }
          s.finish();
          out.add(sum.toDoubles());
          if (run == 4 || run == 9) {
            s.state().leaves().forEach(t -> out.add(t.toDoubles()));
          }
        }
      }
    }
    return out;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void resultsAreThoseOfTheHostWhicheverStreamIsSlow(int lazy) {
    List<double[]> expected;
    try (Device cpu = Device.open("cpu:1")) {
      expected = work(cpu, false);
    }
    FakeCuda.control().lazy(lazy);
    try (Device card = FakeCard.open()) {
      assertThat(work(card, true)).usingRecursiveComparison().isEqualTo(expected);
      assertThat(work(card, false)).usingRecursiveComparison().isEqualTo(expected);
    }
    assertThat(FakeCuda.control().fencesAreWhole()).isTrue();
  }

  @Test
  void whatStaysIsNotCopiedAgain() {
    FakeCuda card = FakeCuda.control();
    try (Device device = FakeCard.open();
        Scope scope = Scope.open();
        Plan plan = device.compile(program())) {
      Tree<Tensor> in = inputs(scope);
      Tensor sum = scope.tensor(Type.f32());
      try (Plan.Sequence s = plan.sequence(in, Tree.of("sum", sum), KEPT)) {
        s.set(start(scope));
        long up = card.copiedToCard();
        long down = card.copiedToHost();
        long launches = card.calls("cuGraphLaunch");
        for (int run = 0; run < 4; run++) {
          s.start();
          s.finish();
        }
        assertThat(card.copiedToCard() - up).isEqualTo(4 * 64); // the rows, aligned
        assertThat(card.copiedToHost() - down).isLessThanOrEqualTo(4 * 128); // sum and fault
        assertThat(card.calls("cuGraphLaunch") - launches).isEqualTo(4);
        down = card.copiedToHost();
        s.state();
        s.state();
        assertThat(card.copiedToHost() - down).isEqualTo(3 * 2 * 4 + 4 + 4);
      }
      Tree<Tensor> all = in.with("state", start(scope));
      long up = card.copiedToCard();
      plan.bind(all, scope.tensors(plan.program().outputs())).run();
      assertThat(card.copiedToCard() - up).isGreaterThan(DATA * 2 * 4); // as before
    }
  }

  @Test
  void aStateThatIsSetEndsWhatIsUnderWay() {
    FakeCuda.control().lazy(5);
    try (Device device = FakeCard.open();
        Scope scope = Scope.open();
        Plan plan = device.compile(program())) {
      Tree<Tensor> in = inputs(scope);
      Tensor sum = scope.tensor(Type.f32());
      try (Plan.Sequence s = plan.sequence(in, Tree.of("sum", sum), KEPT)) {
        s.set(start(scope));
        assertThatThrownBy(s::finish).hasMessage("no run was started");
        s.start();
        s.start();
        assertThatThrownBy(s::start).hasMessageStartingWith("two runs are under way");
        assertThatThrownBy(s::state).hasMessageStartingWith("two runs are under way");
        s.finish();
        assertThat(sum.get(0)).isEqualTo(21);
        assertThat(s.state().get("n").get(0)).isEqualTo(41);
        s.set(start(scope));
        assertThat(s.state().get("n").get(0)).isEqualTo(40);
        assertThatThrownBy(s::finish).hasMessage("no run was started");
        s.start();
        s.finish();
        assertThat(sum.get(0)).isEqualTo(21);
        assertThat(s.state().get("n").get(0)).isEqualTo(41);
        assertThat(s.state().get("scale").get(0)).isEqualTo(0.5);
        Tree<Tensor> other = start(scope).with("n", scope.tensor(Type.f32()));
        assertThatThrownBy(() -> s.set(other))
            .isInstanceOf(ShapeException.class)
            .hasMessage("state 'n' is f32[], not i32[]");
      }
    }
  }

  @Test
  void afterAFailedRunAStateMustBeSet() {
    try (Device device = FakeCard.open();
        Scope scope = Scope.open();
        Plan plan = device.compile(program())) {
      Tree<Tensor> in = inputs(scope);
      Tensor sum = scope.tensor(Type.f32());
      try (Plan.Sequence s = plan.sequence(in, Tree.of("sum", sum), KEPT)) {
        s.set(start(scope));
        in.get("rows").set(0.0, 1, DATA);
        s.start();
        assertThatThrownBy(s::finish)
            .isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessage("index 5000 is outside 0..4999");
        assertThatThrownBy(s::state).hasMessageStartingWith("a run failed");
        assertThatThrownBy(s::start).hasMessageStartingWith("a run failed");
        fill(in, 1);
        s.set(start(scope));
        s.start();
        s.finish();
        assertThat(s.state().get("n").get(0)).isEqualTo(41);
      }
    }
  }

  @Test
  void nothingIsLeftBehind() {
    FakeCuda.control().forget();
    long before = FakeCuda.control().used();
    try (Device device = FakeCard.open();
        Scope scope = Scope.open()) {
      Plan plan = device.compile(program());
      long planned = FakeCuda.control().used();
      Tree<Tensor> in = inputs(scope);
      Tree<Tensor> out = Tree.of("sum", scope.tensor(Type.f32()));
      Plan.Sequence s = plan.sequence(in, out, KEPT);
      s.start();
      s.close();
      s.close();
      assertThat(FakeCuda.control().used()).isEqualTo(planned);
      assertThatThrownBy(s::start).hasMessage("the sequence is closed");
      FakeCuda.control().fail("cuMemHostAlloc", 2, 1);
      assertThatThrownBy(() -> plan.sequence(in, out, KEPT)).hasMessageContaining("pinned");
      assertThat(FakeCuda.control().used()).isEqualTo(planned);
      Plan.Sequence orphan = plan.sequence(in, out, KEPT);
      plan.close();
      assertThatThrownBy(orphan::start).isInstanceOf(ClosedException.class);
      orphan.close();
    }
    assertThat(FakeCuda.control().used()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu:1", "reference", "cuda"})
  void aStateThatCannotGoRoundIsRefused(String name) {
    Program wrong =
        Program.trace(
            Tree.of("state", Tree.of("w", Type.f32(2))).with("x", Type.f32(3)),
            in -> Tree.of("state", Tree.of("w", in.get("x"))));
    try (Device device = name.equals("cuda") ? FakeCard.open() : Device.open(name);
        Scope scope = Scope.open();
        Plan plan = device.compile(wrong)) {
      Tree<Tensor> in = Tree.of("x", scope.tensor(Type.f32(3)));
      assertThatThrownBy(() -> plan.sequence(in, Tree.empty(), new Plan.Kept("state", Set.of())))
          .isInstanceOf(ShapeException.class)
          .hasMessage(
              "output 'state/w' is f32[3] and cannot be the next run's input, which is f32[2]");
      for (Plan.Kept none :
          List.of(new Plan.Kept("theta", Set.of()), new Plan.Kept("x", Set.of("theta")))) {
        assertThatThrownBy(() -> plan.sequence(in, Tree.empty(), none))
            .isInstanceOf(ShapeException.class)
            .hasMessage("there is no input 'theta' in this program");
      }
    }
  }
}
