package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.LearnedOptimizer.Input;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LearnedOptimizerTest {
  private final Device device = Device.open("reference");
  private final Scope scope = Scope.open();

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  /** Two steps on variables a [3] and b [1,2], with the same gradients in both steps. */
  private Tree<Tensor> twoSteps(
      LearnedOptimizer net, Tree<Tensor> phi, Tree<Tensor> variables, Tree<Tensor> gradient) {
    Tree<Type> types =
        Tree.<Type>empty()
            .with("phi", phi.map(Tensor::type))
            .with("v", variables.map(Tensor::type))
            .with("g", gradient.map(Tensor::type));
    Program program =
        Program.trace(
            types,
            in -> {
              Optimizer rule = net.with(in.sub("phi"));
              Tree<Expr> v = in.sub("v");
              Tree<Expr> g = in.sub("g");
              Optimizer.Update once = rule.update(v, g, rule.init(v), Expr.data(Type.i32(), 0));
              return rule.update(once.weights(), g, once.state(), Expr.data(Type.i32(), 1))
                  .weights();
            });
    try (Plan plan = device.compile(program)) {
      return plan.run(
          scope, Tree.<Tensor>empty().with("phi", phi).with("v", variables).with("g", gradient));
    }
  }

  private Tensor tensor(Type type, double... values) {
    return scope.tensor(type).set(values);
  }

  /** The same two steps written out for one coordinate, from the papers' formulas. */
  private static double alone(LearnedOptimizer net, Tree<Tensor> phi, double v, double g) {
    double size = Math.abs(g) >= Math.exp(-10) ? Math.log(Math.abs(g)) / 10 : -1;
    double sign = Math.abs(g) >= Math.exp(-10) ? Math.signum(g) : Math.exp(10) * g;
    double[] x = net.input() == Input.RAW ? new double[] {g} : new double[] {size, sign};
    int n = net.hidden();
    double[] h = new double[n];
    double[] c = new double[n];
    double at = v;
    for (int step = 0; step < 2; step++) {
      double[] gates = new double[4 * n];
      for (int j = 0; j < 4 * n; j++) {
        gates[j] = phi.get("cell/bi").get(j) + phi.get("cell/bh").get(j);
        for (int i = 0; i < x.length; i++) {
          gates[j] += x[i] * phi.get("cell/wi").get((long) i * 4 * n + j);
        }
        for (int i = 0; i < n; i++) {
          gates[j] += h[i] * phi.get("cell/wh").get((long) i * 4 * n + j);
        }
      }
      double moved = 0;
      double[] next = new double[n];
      for (int j = 0; j < n; j++) {
        c[j] = sigmoid(gates[n + j]) * c[j] + sigmoid(gates[j]) * Math.tanh(gates[2 * n + j]);
        next[j] = sigmoid(gates[3 * n + j]) * Math.tanh(c[j]);
        moved += next[j] * phi.get("out").get(j);
      }
      h = next;
      at -= net.scale() * moved;
    }
    return at;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** Every coordinate of every leaf moves by itself, as the papers' formulas say. */
  @ParameterizedTest
  @EnumSource(Input.class)
  void eachCoordinateMovesByTheSharedCell(Input input) {
    LearnedOptimizer net = new LearnedOptimizer(4, input, 0.3);
    Tree<Tensor> phi = Weight.init(net.weights(), scope, Key.of(2));
    // A zero gradient, one on each side of exp(-10), large ones.
    double[] g = {0, 1e-6, -1e-3, 0.5, -7};
    double[] v = {0.1, -0.2, 0.3, -0.4, 0.5};
    Tree<Tensor> out =
        twoSteps(
            net,
            phi,
            Tree.of(
                "a",
                tensor(Type.f32(3), v[0], v[1], v[2]),
                "b",
                tensor(Type.f32(1, 2), v[3], v[4])),
            Tree.of(
                "a",
                tensor(Type.f32(3), g[0], g[1], g[2]),
                "b",
                tensor(Type.f32(1, 2), g[3], g[4])));
    for (int i = 0; i < v.length; i++) {
      double got = i < 3 ? out.get("a").get(i) : out.get("b").get(i - 3);
      assertThat(got).as("coordinate %d", i).isCloseTo(alone(net, phi, v[i], g[i]), within(1e-6));
    }
  }

  @Test
  void sizesAreChecked() {
    assertThatThrownBy(() -> new LearnedOptimizer(0, Input.RAW, 1))
        .hasMessage("a learned optimiser has at least 1 unit and a scale above 0, not 0 and 1.0");
    assertThatThrownBy(() -> new LearnedOptimizer(1, Input.RAW, 0)).hasMessageContaining("0.0");
  }
}
