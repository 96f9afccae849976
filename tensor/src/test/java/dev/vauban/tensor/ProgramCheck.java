package dev.vauban.tensor;

import dev.vauban.tensor.backend.reference.Reference;
import java.util.List;

/** Whole programs on a device, against the reference. */
public final class ProgramCheck {
  private ProgramCheck() {}

  /** Inputs between -1 and 1. */
  public static Tree<Tensor> inputs(Scope scope, Tree<Type> types, long seed) {
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

  /** The random program of a seed, twice. */
  public static void random(long seed, Device device) {
    check(RandomPrograms.of(seed), seed, device, 2e-4);
  }

  /** A program, twice, with results as near as {@code tolerance} times the largest. */
  public static void check(Program p, long seed, Device device, double tolerance) {
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = inputs(scope, p.inputs(), seed);
      List<double[]> expected =
          Reference.evaluate(p.graph(), in.leaves().stream().map(Tensor::toDoubles).toList());
      for (int run = 0; run < 2; run++) { // the second finds what the first left in the slab
        List<Tensor> actual = plan.run(scope, in).leaves();
        for (int r = 0; r < expected.size(); r++) {
          compare(p, tolerance, run, r, actual.get(r).toDoubles(), expected.get(r));
        }
      }
    }
  }

  private static void compare(
      Program p, double tolerance, int run, int r, double[] actual, double[] expected) {
    double scale = 1;
    for (double e : expected) {
      scale = Math.max(scale, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(actual[i] - expected[i]) <= tolerance * scale)) {
        throw new AssertionError(
            "run %d, result %d, element %d is %s, not %s; the program:%n%s"
                .formatted(run, r, i, actual[i], expected[i], p));
      }
    }
  }
}
