package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ProgramCheck;
import org.junit.jupiter.api.Test;

/**
 * Random programs on the CPU against the reference. {@code -Dvauban.programs=N} runs more of them,
 * {@code -Dvauban.seed=S} starts elsewhere; a failure names its seed.
 */
class RandomProgramTest {
  private static final int PROGRAMS = Integer.getInteger("vauban.programs", 400);
  private static final long SEED = Long.getLong("vauban.seed", 1);

  @Test
  void programsGiveTheReferencesResults() {
    try (CpuDevice best = CpuDevice.open(2);
        CpuDevice java = CpuDevice.open(1, CpuDevice.Kernels.JAVA)) {
      for (long seed = SEED; seed < SEED + PROGRAMS; seed++) {
        try {
          ProgramCheck.random(seed, seed % 4 == 0 ? java : best);
        } catch (RuntimeException | AssertionError | StackOverflowError e) {
          throw new AssertionError("program of seed " + seed + ": " + e, e);
        }
      }
    }
  }
}
