package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.cuda.CudaException;
import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.tensor.BackendCheck;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.MetaStep;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ProgramCheck;
import dev.vauban.tensor.RandomPrograms;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cpu.CpuDevice;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whole programs on the card that is the processor: one launch each, the same bits always. */
class CudaPlanTest {
  private static final int PROGRAMS = Integer.getInteger("vauban.cuda.programs", 60);
  private static CudaDevice device;

  @BeforeAll
  static void open() {
    device = FakeCard.open();
    FakeCard.prepare(device, programs());
  }

  @AfterAll
  static void close() {
    if (device != null) {
      device.close();
    }
  }

  /** The programs whose kernels are compiled together. */
  static Stream<Program> programs() {
    return Stream.concat(
        LongStream.range(0, PROGRAMS).mapToObj(RandomPrograms::of),
        Stream.of(MetaStep.program(), draws(), perTask()));
  }

  @Test
  void randomProgramsGiveTheReferencesResults() {
    for (long seed = 0; seed < PROGRAMS; seed++) {
      try {
        ProgramCheck.random(seed, device);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("program of seed " + seed + ": " + e, e);
      }
    }
  }

  private static List<double[]> run(Program p, long seed) {
    return run(device, p, seed);
  }

  private static List<double[]> run(CudaDevice on, Program p, long seed) {
    try (Scope scope = Scope.open();
        Plan plan = on.compile(p)) {
      Tree<Tensor> in = ProgramCheck.inputs(scope, p.inputs(), seed);
      return plan.run(scope, in).leaves().stream().map(Tensor::toDoubles).toList();
    }
  }

  @Test
  void aMetaStepIsOneLaunch() {
    Program p = MetaStep.program();
    ProgramCheck.check(p, 5, device, 1e-3);
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Plan.Bound bound =
          plan.bind(ProgramCheck.inputs(scope, p.inputs(), 5), scope.tensors(p.outputs()));
      bound.run();
      long launches = FakeCuda.control().calls("cuGraphLaunch");
      long kernels = FakeCuda.control().calls("cuLaunchKernel");
      bound.run();
      assertThat(FakeCuda.control().calls("cuGraphLaunch")).isEqualTo(launches + 1);
      assertThat(FakeCuda.control().calls("cuLaunchKernel")).isEqualTo(kernels);
      assertThat(((CudaPlan) plan).graphNodes())
          .isEqualTo((int) ((CudaPlan) plan).code().launches() + 3); // two copies and a reset
    }
  }

  @Test
  void runsAreTheSameToTheBit() {
    List<double[]> once = run(MetaStep.program(), 3);
    List<double[]> again = run(MetaStep.program(), 3);
    for (int i = 0; i < once.size(); i++) {
      assertThat(again.get(i)).isEqualTo(once.get(i));
    }
  }

  /** Of threads and of blocks: without a barrier nobody sees what another has done. */
  @Test
  void theOrderOfThreadsDoesNotMatter() {
    programs()
        .forEach(p -> {
          List<double[]> forwards = run(p, 3);
          FakeCuda.control().backwards(1);
          try {
            assertThat(run(p, 3)).usingRecursiveComparison().isEqualTo(forwards);
          } finally {
            FakeCuda.control().backwards(0);
          }
        });
  }

  /** All distributions, and keys folded with positive and negative numbers. */
  private static Program draws() {
    return Program.trace(
        Tree.of("key", Type.i32(3, 2), "data", Type.i32(3)),
        in -> {
          Expr key = in.get("key");
          return Tree.of("bits", key.bits(Shape.of(1000)), "uniform", key.uniform(Shape.of(7, 11)))
              .with("normal", key.normal(Shape.of(2000)))
              .with("fold", key.fold(in.get("data")));
        });
  }

  @Test
  void randomBitsAreTheProcessors() {
    try (Scope scope = Scope.open();
        CpuDevice cpu = CpuDevice.open(1);
        Plan here = device.compile(draws());
        Plan there = cpu.compile(draws())) {
      Tree<Tensor> in =
          Tree.of(
              "key", scope.tensor(Type.i32(3, 2)).set(1, -2, 3, 4_000_000, -5, 6),
              "data", scope.tensor(Type.i32(3)).set(0, 17, -1));
      Tree<Tensor> actual = here.run(scope, in);
      Tree<Tensor> expected = there.run(scope, in);
      expected
          .paths()
          .forEach((path, t) ->
              assertThat(actual.get(path).toDoubles()).as(path).isEqualTo(t.toDoubles()));
    }
  }

  /** One gradient step for a convolution of each task's own, and the loss after it. */
  private static Program perTask() {
    return Program.trace(
        Tree.of("x", Type.f32(5, 2, 6, 6, 3), "w", Type.f32(3, 3, 3, 4)),
        in ->
            Tree.of(
                "loss",
                Vmap.vmapToArray(
                    t -> {
                      Expr w = in.get("w");
                      Expr g = Grad.grad(k -> loss(t.value(), k), w);
                      return loss(t.value(), w.sub(g.mul(0.01)));
                    },
                    Tree.leaf(in.get("x")))));
  }

  private static Expr loss(Expr x, Expr w) {
    return x.convolve(w, Window.of(1, 1), 1).tanh().square().mean();
  }

  @Test
  void imagesOfTasksAreNotTransposed() {
    ProgramCheck.check(perTask(), 2, device, 1e-4);
    try (Plan plan = device.compile(perTask())) {
      assertThat(plan.parts()).noneMatch(p -> p.label().startsWith("transpose"));
      assertThat(plan.parts()).anyMatch(p -> p.label().endsWith("for 5 tasks"));
    }
  }

  /** By tensor cores, whose instructions a function of the prelude stands in for here. */
  @Test
  void productsInTf32AreRoundedToElevenBits() {
    try (CudaDevice rounded = FakeCard.open(Choices.Precision.TF32)) {
      ProgramCheck.check(perTask(), 2, rounded, 4e-3);
      ProgramCheck.check(MetaStep.program(), 2, rounded, 0.1);
      assertThat(FakeCard.kernels(rounded.card().choices(), Stream.of(perTask())).keySet())
          .anyMatch(k -> k.startsWith("mmaTf32"));
    }
  }

  @Test
  void contractionsGoToTheLibraryWhereItTakesThem() {
    try (CudaDevice library = FakeCard.openWithLibrary()) {
      List<OpCase> rows = OpCases.all().filter(c -> c.op() == ContractOp.Contract.class).toList();
      FakeCard.prepare(library, rows.stream().map(OpCase::program));
      rows.forEach(c -> BackendCheck.check(library, c, DType.F32));
      rows.forEach(c -> BackendCheck.check(library, c, DType.BF16));
      ProgramCheck.check(MetaStep.program(), 5, library, 1e-3);
      try (Plan plan = library.compile(MetaStep.program())) {
        assertThat(plan.parts()).anyMatch(p -> p.label().startsWith("cublasLt"));
      }
    }
  }

  @Test
  void twoRunsMayBeUnderWay() {
    Program p = Program.trace(Tree.of("x", Type.f32(4)), in -> Tree.of("y", in.get("x").mul(2)));
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tensor x = scope.tensor(Type.f32(4));
      Tensor y = scope.tensor(Type.f32(4));
      Plan.Bound bound = plan.bind(Tree.of("x", x), Tree.of("y", y));
      assertThatThrownBy(bound::finish).isInstanceOf(IllegalStateException.class);
      bound.start();
      x.set(1, 2, 3, 4);
      bound.start();
      assertThatThrownBy(bound::start).isInstanceOf(IllegalStateException.class);
      x.set(9, 9, 9, 9); // too late for both
      bound.finish();
      assertThat(y.toDoubles()).containsOnly(0);
      bound.finish();
      assertThat(y.toDoubles()).containsExactly(2, 4, 6, 8);
      bound.run();
      assertThat(y.toDoubles()).containsOnly(18);
    }
  }

  @Test
  void anIndexOutsideItsAxisIsAnError() {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(3, 2), "i", Type.i32(2)),
            in -> Tree.of("y", Expr.of(new IndexOp.Gather(0), List.of(in.get("x"), in.get("i")))));
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tensor x = scope.tensor(Type.f32(3, 2)).set(1, 2, 3, 4, 5, 6);
      Tree<Tensor> wrong = Tree.of("x", x, "i", scope.tensor(Type.i32(2)).set(new int[] {1, 3}));
      assertThatThrownBy(() -> plan.run(scope, wrong))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessage("index 3 is outside 0..2");
      Tree<Tensor> right = Tree.of("x", x, "i", scope.tensor(Type.i32(2)).set(new int[] {2, 0}));
      assertThat(plan.run(scope, right).get("y").toDoubles()).containsExactly(5, 6, 1, 2);
    }
  }

  @Test
  void memoryThatTheCardHasNotIsAskedForInOneSentence() {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(1)),
            in -> Tree.of("y", in.get("x").broadcast(Shape.of(1 << 30, 3, 1), 2)));
    assertThatThrownBy(() -> device.compile(p))
        .isInstanceOfSatisfying(CudaException.class, e -> assertThat(e.outOfMemory()).isTrue())
        .hasMessageContaining("planned")
        .hasMessageContaining("free");
    assertThat(run(draws(), 1)).isNotEmpty(); // the device goes on
  }

  @Test
  void closedThingsSaySo() {
    CudaDevice other = FakeCard.open();
    Program p = Program.trace(Tree.of("x", Type.f32(4)), in -> Tree.of("y", in.get("x").mul(2)));
    try (Scope scope = Scope.open()) {
      Tree<Tensor> in = Tree.of("x", scope.tensor(Type.f32(4)));
      Plan closed = other.compile(p);
      Plan.Bound bound = closed.bind(in, scope.tensors(p.outputs()));
      closed.close();
      closed.close();
      assertThatThrownBy(bound::run)
          .isInstanceOf(ClosedException.class)
          .hasMessageContaining("plan");
      Plan orphan = other.compile(p);
      other.close();
      assertThatThrownBy(() -> orphan.run(scope, in))
          .isInstanceOf(ClosedException.class)
          .hasMessageContaining("device");
      assertThatThrownBy(() -> other.compile(p)).isInstanceOf(ClosedException.class);
      orphan.close();
    }
  }

  /** Devices of one card share its context; the last one's end is not the card's. */
  @Test
  void aCardMayBeOpenedTwiceAndAgain() {
    long before = FakeCuda.control().used();
    Program p = MetaStep.program();
    CudaDevice first = FakeCard.openWithLibrary();
    List<double[]> expected = run(first, p, 2);
    CudaDevice second = FakeCard.openWithLibrary();
    assertThat(run(second, p, 2)).usingRecursiveComparison().isEqualTo(expected);
    first.close();
    assertThat(run(second, p, 2)).usingRecursiveComparison().isEqualTo(expected);
    second.close();
    try (CudaDevice third = FakeCard.openWithLibrary()) {
      assertThat(run(third, p, 2)).usingRecursiveComparison().isEqualTo(expected);
    }
    assertThat(FakeCuda.control().used()).isEqualTo(before);
  }

  @Test
  void theTableSaysWhatRuns() {
    try (Plan plan = device.compile(MetaStep.program())) {
      assertThat(plan.toString()).contains("loop 3 times", "convolve", "for 3 tasks", "nest");
      assertThat(plan.flops()).isPositive();
      assertThat(plan.bytes()).isPositive();
      assertThat(plan.parts()).noneMatch(part -> part.label().startsWith("map"));
    }
  }

  @Test
  void nothingIsWrittenBesideItsMemory() {
    run(MetaStep.program(), 1);
    assertThat(FakeCuda.control().fencesAreWhole()).isTrue();
  }

  @Test
  void manyTasksMakeLargerKernelsAndNotMore() {
    Code few = Lowering.program(MetaStep.program(3, 3).graph(), device.card().choices());
    Code many = Lowering.program(MetaStep.program(40, 3).graph(), device.card().choices());
    // A sum may be divided where there is more of it.
    assertThat(many.launches()).isBetween(few.launches() * 9 / 10, few.launches() * 12 / 10);
    assertThat(few.steps().stream().map(Step::label)).noneMatch(l -> l.contains("map"));
  }
}
