package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.RandomPrograms;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.List;
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
          check(seed, seed % 4 == 0 ? java : best);
        } catch (RuntimeException | AssertionError | StackOverflowError e) {
          throw new AssertionError("program of seed " + seed + ": " + e, e);
        }
      }
    }
  }

  static Tree<Tensor> inputs(Scope scope, Tree<Type> types, long seed) {
    int[] i = {0};
    return types.map(t -> {
      Tensor x = scope.tensor(t);
      Key key = Key.of(seed).fold(i[0]++);
      for (int k = 0; k < x.size(); k++) {
        x.set(k, key.uniform(k) * 2 - 1);
      }
      return x;
    });
  }

  private static void check(long seed, CpuDevice device) {
    Program p = RandomPrograms.of(seed);
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = inputs(scope, p.inputs(), seed);
      List<double[]> expected =
          Reference.evaluate(p.graph(), in.leaves().stream().map(Tensor::toDoubles).toList());
      for (int run = 0; run < 2; run++) { // the second finds what the first left in the slab
        List<Tensor> actual = plan.run(scope, in).leaves();
        for (int r = 0; r < expected.size(); r++) {
          compare(p, run, r, actual.get(r).toDoubles(), expected.get(r));
        }
      }
    }
  }

  private static void compare(Program p, int run, int r, double[] actual, double[] expected) {
    double scale = 1;
    for (double e : expected) {
      scale = Math.max(scale, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= 2e-4 * scale)) {
        throw new AssertionError(
            "run %d, result %d, element %d is %s, not %s; the program:%n%s"
                .formatted(run, r, i, actual[i], expected[i], p));
      }
    }
  }
}
