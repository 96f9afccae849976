package dev.vauban.tensor.backend.cpu;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What only a JVM of its own shows reliably: see {@code SteadyStateTest}. */
class Bf16SteadyStateTest {
  @ParameterizedTest
  @EnumSource(Bf16Choice.class)
  void aRunAllocatesNothing(Bf16Choice choice) {
    try (CpuDevice device = Bf16Test.open(choice, 3, CpuDevice.Kernels.BEST)) {
      CpuPlanTest.assertAllocatesNothing(device, Bf16Test.tasks());
    }
  }
}
