package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.BackendCheck;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.SpecialCases;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every operation on the CPU, with native and with Java kernels, against the reference. */
class CpuBackendTest {
  private static CpuDevice best;
  private static CpuDevice java;

  @BeforeAll
  static void open() {
    best = CpuDevice.open(1, CpuDevice.Kernels.BEST);
    java = CpuDevice.open(1, CpuDevice.Kernels.JAVA);
  }

  @AfterAll
  static void close() {
    best.close();
    java.close();
  }

  @TestFactory
  Stream<DynamicTest> withTheBestKernels() {
    return each(OpCases.all(), c -> BackendCheck.check(best, c, DType.F32));
  }

  @TestFactory
  Stream<DynamicTest> withJavaKernels() {
    return each(OpCases.all(), c -> BackendCheck.check(java, c, DType.F32));
  }

  @TestFactory
  Stream<DynamicTest> inDouble() {
    return each(BackendCheck.accepting(DType.F64), c -> BackendCheck.check(best, c, DType.F64));
  }

  @TestFactory
  Stream<DynamicTest> inBrainFloats() {
    return each(BackendCheck.accepting(DType.BF16), c -> BackendCheck.check(best, c, DType.BF16));
  }

  @TestFactory
  Stream<DynamicTest> inBrainFloatsWithJavaKernels() {
    return each(BackendCheck.accepting(DType.BF16), c -> BackendCheck.check(java, c, DType.BF16));
  }

  @TestFactory
  Stream<DynamicTest> onSpecialValues() {
    return each(SpecialCases.all(), c -> BackendCheck.checkSpecial(best, c));
  }

  @TestFactory
  Stream<DynamicTest> onSpecialValuesWithJavaKernels() {
    return each(SpecialCases.all(), c -> BackendCheck.checkSpecial(java, c));
  }

  private static Stream<DynamicTest> each(Stream<OpCase> rows, Consumer<OpCase> test) {
    return rows.map(c -> DynamicTest.dynamicTest(c.name(), () -> test.accept(c)));
  }
}
