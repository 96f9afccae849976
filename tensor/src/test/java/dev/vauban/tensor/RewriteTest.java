package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rewrites keep values: random programs as written, simplified and optimised, in double. */
class RewriteTest {
  private static final int PROGRAMS = Integer.getInteger("vauban.programs", 400);
  private static final long SEED = Long.getLong("vauban.seed", 1);

  @Test
  void simplifiedAndOptimisedGraphsKeepTheValues() {
    long raw = 0;
    long optimised = 0;
    for (long seed = SEED; seed < SEED + PROGRAMS; seed++) {
      long s = seed;
      Program written = Simplify.without(() -> RandomPrograms.of(s));
      Program simple = RandomPrograms.of(seed);
      Graph best = Passes.optimise(simple.graph());
      List<double[]> arguments = arguments(written, seed);
      List<double[]> expected = Reference.evaluate(written.graph(), arguments);
      compare(seed, "simplified", Reference.evaluate(simple.graph(), arguments), expected);
      compare(seed, "optimised", Reference.evaluate(best, arguments), expected);
      raw += written.graph().nodes().size();
      optimised += best.nodes().size();
    }
    assertThat(optimised).as("nodes after rewriting, of " + raw).isLessThan(raw * 9 / 10);
  }

  private static List<double[]> arguments(Program p, long seed) {
    List<double[]> out = new ArrayList<>();
    for (Expr e : p.graph().params()) {
      Key key = Key.of(seed).fold(out.size());
      double[] x = new double[(int) e.shape().size()];
      for (int i = 0; i < x.length; i++) {
        x[i] = key.uniform(i) * 2 - 1;
      }
      out.add(x);
    }
    return out;
  }

  private static void compare(
      long seed, String what, List<double[]> actual, List<double[]> expected) {
    for (int r = 0; r < expected.size(); r++) {
      double[] e = expected.get(r);
      double[] a = actual.get(r);
      for (int i = 0; i < e.length; i++) {
        if (!(Math.abs(a[i] - e[i]) <= 1e-9 * Math.max(1, Math.abs(e[i])))) {
          throw new AssertionError(
              "program of seed %d, %s: result %d, element %d is %s, not %s"
                  .formatted(seed, what, r, i, a[i], e[i]));
        }
      }
    }
  }
}
