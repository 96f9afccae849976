package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.BackendCheck;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.GradientCheck;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.SpecialCases;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operation in every type, special values, first and second gradients: the generated kernels,
 * compiled for the processor, against the reference.
 */
class CudaBackendTest {
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

  /** All programs of this class. */
  static Stream<Program> programs() {
    return Stream.concat(values(), gradients());
  }

  /** Those of the operations themselves. */
  static Stream<Program> values() {
    return Stream.of(
            OpCases.all().map(OpCase::program),
            BackendCheck.accepting(DType.F64).map(c -> BackendCheck.program(c, DType.F64)),
            BackendCheck.accepting(DType.BF16).map(c -> BackendCheck.program(c, DType.BF16)),
            SpecialCases.all().map(OpCase::program))
        .flatMap(s -> s);
  }

  /** Those of their gradients. */
  static Stream<Program> gradients() {
    return Stream.of(1, 2)
        .flatMap(order -> GradientCheck.smooth().map(c -> GradientCheck.program(c, order)));
  }

  @TestFactory
  Stream<DynamicTest> everyOperation() {
    return each(OpCases.all(), c -> BackendCheck.check(device, c, DType.F32));
  }

  @TestFactory
  Stream<DynamicTest> inDouble() {
    return each(BackendCheck.accepting(DType.F64), c -> BackendCheck.check(device, c, DType.F64));
  }

  @TestFactory
  Stream<DynamicTest> inBrainFloats() {
    return each(BackendCheck.accepting(DType.BF16), c -> BackendCheck.check(device, c, DType.BF16));
  }

  @TestFactory
  Stream<DynamicTest> onSpecialValues() {
    return each(SpecialCases.all(), c -> BackendCheck.checkSpecial(device, c));
  }

  @TestFactory
  Stream<DynamicTest> firstGradients() {
    return each(GradientCheck.smooth(), c -> GradientCheck.compare(c, 1, device));
  }

  @TestFactory
  Stream<DynamicTest> secondGradients() {
    return each(GradientCheck.smooth(), c -> GradientCheck.compare(c, 2, device));
  }

  private static Stream<DynamicTest> each(Stream<OpCase> rows, Consumer<OpCase> test) {
    return rows.map(c -> DynamicTest.dynamicTest(c.name(), () -> test.accept(c)));
  }
}
