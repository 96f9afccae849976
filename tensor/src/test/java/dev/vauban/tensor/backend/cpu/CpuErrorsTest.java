package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.DTypeException;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.backend.reference.ReferenceDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What goes wrong is said in one sentence, and the device goes on working. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CpuErrorsTest {
  private final CpuDevice device = CpuDevice.open(2);
  private final Scope scope = Scope.open();

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private static Program doubled() {
    return Program.trace(Tree.of("x", Type.f32(2, 3)), in -> Tree.of("y", in.get("x").mul(2)));
  }

  @Test
  void inputsThatDoNotFitAreNamed() {
    try (Plan plan = device.compile(doubled())) {
      assertThatThrownBy(() -> plan.run(scope, Tree.of("x", scope.tensor(Type.f32(3, 2)))))
          .isInstanceOf(ShapeException.class)
          .hasMessage("input 'x' is f32[3,2], not f32[2,3]");
      assertThatThrownBy(() -> plan.run(scope, Tree.of("x", scope.tensor(Type.i32(2, 3)))))
          .isInstanceOf(ShapeException.class)
          .hasMessage("input 'x' is i32[2,3], not f32[2,3]");
      assertThatThrownBy(() -> plan.run(scope, Tree.empty()))
          .isInstanceOf(ShapeException.class)
          .hasMessage("input 'x' (f32[2,3]) is missing");
      Tensor x = scope.tensor(Type.f32(2, 3));
      assertThatThrownBy(() -> plan.run(scope, Tree.of("x", x, "z", x)))
          .isInstanceOf(ShapeException.class)
          .hasMessage("there is no input 'z' in this program");
      assertThatThrownBy(() -> plan.bind(Tree.of("x", x), Tree.of("y", scope.tensor(Type.f32(2)))))
          .isInstanceOf(ShapeException.class)
          .hasMessage("output 'y' is f32[2], not f32[2,3]");
    }
  }

  @Test
  void outputsHaveMemoryOfTheirOwn() {
    Program two =
        Program.trace(
            Tree.of("x", Type.f32(2)),
            in -> Tree.of("a", in.get("x").mul(2), "b", in.get("x").mul(3)));
    try (Plan plan = device.compile(two)) {
      Tensor x = scope.tensor(Type.f32(2));
      Tensor y = scope.tensor(Type.f32(2));
      assertThatThrownBy(() -> plan.bind(Tree.of("x", x), Tree.of("a", y, "b", x)))
          .isInstanceOf(ShapeException.class)
          .hasMessage(
              "an output (f32[2]) shares memory with an input (f32[2]); give every output a tensor"
                  + " of its own");
      assertThatThrownBy(() -> plan.bind(Tree.of("x", x), Tree.of("a", y, "b", y)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("shares memory with another output");
      Tensor large = scope.tensor(Type.f32(4));
      Tensor half = Tensor.over(scope, Type.f32(2), large.segment().asSlice(4, 8));
      Tensor start = Tensor.over(scope, Type.f32(2), large.segment().asSlice(0, 8));
      assertThatThrownBy(() -> plan.bind(Tree.of("x", start), Tree.of("a", half, "b", y)))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("shares memory with an input");
    }
  }

  @Test
  void closedThingsSaySo() {
    Plan plan = device.compile(doubled());
    Scope inner = Scope.open();
    Tensor x = inner.tensor(Type.f32(2, 3));
    Tensor y = scope.tensor(Type.f32(2, 3));
    Plan.Bound bound = plan.bind(Tree.of("x", x), Tree.of("y", y));
    bound.run();
    inner.close();
    assertThatThrownBy(bound::run)
        .isInstanceOf(ClosedException.class)
        .hasMessageMatching("the scope opened at .* is closed");
    assertThatThrownBy(() -> plan.bind(Tree.of("x", x), Tree.of("y", y)))
        .isInstanceOf(ClosedException.class);
    Tensor z = scope.tensor(Type.f32(2, 3));
    Plan.Bound other = plan.bind(Tree.of("x", z), Tree.of("y", y));
    plan.close();
    plan.close();
    assertThatThrownBy(other::run)
        .isInstanceOf(ClosedException.class)
        .hasMessage("the plan is closed");
  }

  @Test
  void memoryThatItsOwnerReleasedIsNotTouched() {
    Program p = doubled();
    try (Plan plan = device.compile(p);
        Plan interpreted = new ReferenceDevice().compile(p)) {
      for (Plan each : List.of(plan, interpreted)) {
        Arena arena = Arena.ofShared();
        Tensor lent = Tensor.over(scope, Type.f32(2, 3), arena.allocate(24, 64).asReadOnly());
        Tensor result = Tensor.over(scope, Type.f32(2, 3), arena.allocate(24, 64));
        Tensor own = scope.tensor(Type.f32(2, 3));
        Tree<Tensor> ownOut = Tree.of("y", scope.tensor(Type.f32(2, 3)));
        Plan.Bound reads = each.bind(Tree.of("x", lent), ownOut);
        Plan.Bound writes = each.bind(Tree.of("x", own), Tree.of("y", result));
        reads.run();
        writes.run();
        arena.close();
        for (Plan.Bound bound : List.of(reads, writes)) {
          assertThatThrownBy(bound::run)
              .isInstanceOf(ClosedException.class)
              .hasMessage(
                  "the memory of a tensor f32[2,3] was released by its owner; keep the data set or"
                      + " arena that it shares open as long as it is used");
        }
        assertThatThrownBy(() -> each.bind(Tree.of("x", lent), ownOut))
            .isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> lent.get(0)).isInstanceOf(ClosedException.class);
        assertThat(lent).hasToString("f32[2,3]");
      }
    }
    MemorySegment gone;
    try (Arena arena = Arena.ofConfined()) {
      gone = arena.allocate(24, 64);
    }
    assertThatThrownBy(() -> Tensor.over(scope, Type.f32(2, 3), gone))
        .isInstanceOf(ClosedException.class);
  }

  @Test
  void aClosedDeviceRunsNothing() {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(8, 3)),
            in -> Tree.of("y", Vmap.vmapToArray(t -> t.value().sum(), Tree.leaf(in.get("x")))));
    Plan plan = device.compile(p);
    Tree<Tensor> in = Tree.of("x", scope.tensor(Type.f32(8, 3)));
    plan.run(scope, in);
    device.close();
    device.close();
    assertThatThrownBy(() -> plan.run(scope, in))
        .isInstanceOf(ClosedException.class)
        .hasMessage("the device is closed");
    assertThatThrownBy(() -> device.compile(p)).isInstanceOf(ClosedException.class);
    plan.close();
  }

  /** Rows of a table by index, each index on whichever worker takes it. */
  private static Program lookup() {
    return Program.trace(
        Tree.of("table", Type.f32(3, 2), "index", Type.i32(16, 1)),
        in ->
            Tree.of(
                "y",
                Vmap.vmapToArray(
                    t -> in.get("table").gather(0, t.value()).sum(), Tree.leaf(in.get("index")))));
  }

  @Test
  void aFailureInAWorkerReachesTheCallerAndTheDeviceGoesOn() {
    try (Plan plan = device.compile(lookup())) {
      Tensor table = scope.floats(Shape.of(3, 2), 1, 2, 3, 4, 5, 6);
      Tensor index = scope.tensor(Type.i32(16, 1));
      Tree<Tensor> in = Tree.of("table", table, "index", index);
      for (int bad = 0; bad < 16; bad++) {
        index.set(new int[16]).set(bad, 3);
        assertThatThrownBy(() -> plan.run(scope, in))
            .isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessageContaining("index 3")
            .hasMessageContaining("size 3");
        index.set(bad, 2);
        double[] y = plan.run(scope, in).get("y").toDoubles();
        for (int i = 0; i < 16; i++) {
          assertThat(y[i]).isEqualTo(i == bad ? 11 : 3);
        }
      }
    }
  }

  @Test
  void plansOfOneDeviceMayRunFromSeveralThreads() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try {
      Callable<Void> work =
          () -> {
            try (Scope own = Scope.open();
                Plan plan = device.compile(lookup())) {
              Tensor table = own.floats(Shape.of(3, 2), 1, 2, 3, 4, 5, 6);
              Tensor index = own.tensor(Type.i32(16, 1));
              for (int run = 0; run < 300; run++) {
                index.set(run % 16, run % 3);
                double[] y =
                    plan.run(own, Tree.of("table", table, "index", index)).get("y").toDoubles();
                for (int i = 0; i < 16; i++) {
                  assertThat(y[i]).isEqualTo(3 + 4 * index.get(i));
                }
              }
            }
            return null;
          };
      for (Future<Void> f : threads.invokeAll(List.of(work, work, work))) {
        f.get();
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void constantsThatATypeCannotHoldAreRefused() {
    assertThatThrownBy(() -> Expr.fill(Type.i32(2), 0.5))
        .isInstanceOf(DTypeException.class)
        .hasMessage("i32[2] cannot hold the constant 0.5; cast to a floating-point type first");
    assertThatThrownBy(() -> Expr.data(Type.i32(2), 1, Double.NaN))
        .isInstanceOf(DTypeException.class);
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(2)),
            in ->
                Tree.of(
                    "y",
                    in.get("x").add(Expr.fill(Type.f32(2), 300).cast(DType.U8).cast(DType.F32))));
    try (Plan plan = device.compile(p)) {
      assertThat(plan.run(scope, Tree.of("x", scope.tensor(Type.f32(2)))).get("y").toDoubles())
          .containsExactly(255, 255);
    }
  }

  @Test
  void aDeviceNeedsAWorker() {
    assertThatThrownBy(() -> CpuDevice.open(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a device needs at least 1 worker, not 0");
  }
}
