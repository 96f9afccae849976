package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InTurnTest {
  /** Two steps of two Adams of different rates, each with its own moments, in plain arithmetic. */
  @Test
  void eachOptimiserStepsWithItsOwnGradientAndState() {
    Map<String, Optimizer> each = new LinkedHashMap<>();
    each.put("one", Optimizers.adam(0.1));
    each.put("two", Optimizers.adam(0.02));
    Optimizer both = new InTurn(each);
    Program p =
        Program.trace(
            Tree.of("w", Type.f32(2)),
            in -> {
              Tree<Expr> w = in;
              Tree<Expr> state = both.init(w);
              for (int k = 0; k < 2; k++) {
                Tree<Expr> g =
                    Tree.<Expr>empty()
                        .with("one", w.map(v -> v.mul(2)))
                        .with("two", w.map(v -> v.sub(1).mul(-3)));
                Optimizer.Update u = both.update(w, g, state, Expr.fill(Type.i32(), k));
                w = u.weights();
                state = u.state();
              }
              return w;
            });
    double[] actual = Runs.reference(p, Map.of("w", new double[] {0.7, -0.4})).get("w");
    double[] w = {0.7, -0.4};
    double[][] m = new double[2][2];
    double[][] v = new double[2][2];
    double[] rates = {0.1, 0.02};
    for (int k = 1; k <= 2; k++) {
      for (int i = 0; i < 2; i++) {
        double[] g = {2 * w[i], -3 * (w[i] - 1)};
        for (int o = 0; o < 2; o++) {
          m[o][i] = 0.9 * m[o][i] + 0.1 * g[o];
          v[o][i] = 0.999 * v[o][i] + 0.001 * g[o] * g[o];
          double first = m[o][i] / (1 - Math.pow(0.9, k));
          double second = v[o][i] / (1 - Math.pow(0.999, k));
          w[i] -= rates[o] * first / (Math.sqrt(second) + 1e-8);
        }
      }
    }
    assertThat(actual).containsExactly(w, within(1e-7));
  }
}
