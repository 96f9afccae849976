package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Golden;
import dev.vauban.tensor.golden.GoldenCase;
import dev.vauban.tensor.golden.Runs;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Steps of each optimiser on |A w|^2 + share sum w^4 against PyTorch's trajectory. */
class GoldenOptimizersTest {
  private static final Map<String, Function<JsonNode, Optimizer>> OPTIMIZERS =
      Map.of(
          "sgd", a -> Optimizers.sgd(rate(a)),
          "sgd_mom_wd",
              a ->
                  Optimizers.momentum(
                      rate(a), a.get("momentum").asDouble(), a.get("weight_decay").asDouble()),
          "sgd_nesterov",
              a ->
                  Optimizers.nesterov(
                      rate(a), a.get("momentum").asDouble(), or(a, "weight_decay", 0)),
          "adam", a -> adam(a, 0),
          "adamw", a -> Optimizers.adamW(rate(a), a.get("weight_decay").asDouble()),
          "adam_wd", a -> adam(a, a.get("weight_decay").asDouble()),
          "amsgrad", a -> Optimizers.amsgrad(rate(a)),
          "rmsprop", a -> new RmsProp(rate(a), a.get("alpha").asDouble(), a.get("eps").asDouble()),
          "adagrad", a -> new Adagrad(rate(a), a.get("eps").asDouble()));

  /** An attribute, or PyTorch's default where the case does not say. */
  private static double or(JsonNode attrs, String name, double usual) {
    return attrs.has(name) ? attrs.get(name).asDouble() : usual;
  }

  private static Optimizer adam(JsonNode a, double decay) {
    return new Adam(
        rate(a),
        or(a, "b1", 0.9),
        or(a, "b2", 0.999),
        or(a, "eps", 1e-8),
        decay,
        Adam.Decay.COUPLED,
        Adam.Second.CURRENT);
  }

  private static Schedule rate(JsonNode attrs) {
    return Schedule.constant(attrs.get("lr").asDouble());
  }

  private static Stream<Golden.Case> cases() {
    return Golden.open().cases().stream().filter(c -> c.name().startsWith("optim/"));
  }

  @Test
  void everyCaseHasAnOptimiser() {
    assertThat(cases().filter(c -> !OPTIMIZERS.containsKey(c.op())).map(Golden.Case::name))
        .isEmpty();
  }

  private static Expr loss(Golden.Case c, Expr a, Expr w) {
    double share = GoldenCase.of(c.name()).attrIn("loss", "+ ");
    Expr fourth = w.square().square().sum().mul(share);
    return a.matmul(w).square().sum().add(fourth);
  }

  @TestFactory
  Stream<DynamicTest> reference() {
    return cases().map(c -> DynamicTest.dynamicTest(c.name(), () -> reference(c)));
  }

  /** The update as a program of weights and state, iterated in double precision. */
  private static void reference(Golden.Case c) {
    Optimizer optimizer = OPTIMIZERS.get(c.op()).apply(c.attrs());
    int n = c.array("w0").shape().dim(0);
    Program start = Program.trace(Tree.leaf(Type.f32(n)), w -> Tree.of("state", optimizer.init(w)));
    Tree<Type> types =
        Tree.<Type>empty()
            .with("a", Type.f32(n, n))
            .with("w", Type.f32(n))
            .with("step", Type.i32())
            .with("state", start.outputs().sub("state"));
    Program step =
        Program.trace(
            types,
            in -> {
              Tree<Expr> w = in.sub("w");
              Tree<Expr> g = Grad.grad(x -> loss(c, in.get("a"), x.value()), w);
              Optimizer.Update u = optimizer.update(w, g, in.sub("state"), in.get("step"));
              return Tree.<Expr>empty().with("w", u.weights()).with("state", u.state());
            });
    Map<String, double[]> values = new HashMap<>();
    values.put("a", c.array("A").values());
    values.put("w", c.array("w0").values());
    values.putAll(Runs.reference(start, Map.of("", c.array("w0").values())));
    double[] trajectory = c.array("trajectory").values();
    for (int k = 0; k < trajectory.length / n; k++) {
      values.put("step", new double[] {k});
      values.putAll(Runs.reference(step, values));
      double[] expected = Arrays.copyOfRange(trajectory, k * n, (k + 1) * n);
      Runs.assertClose(c + " after step " + (k + 1), values.get("w"), expected, 1e-10);
    }
  }

  @TestFactory
  Stream<DynamicTest> trainerOnCpu() {
    return cases().map(c -> DynamicTest.dynamicTest(c.name(), () -> trainerOnCpu(c)));
  }

  private static void trainerOnCpu(Golden.Case c) {
    Optimizer optimizer = OPTIMIZERS.get(c.op()).apply(c.attrs());
    int n = c.array("w0").shape().dim(0);
    double[] trajectory = c.array("trajectory").values();
    try (Device device = Device.open("cpu:1");
        Scope scope = Scope.open();
        Trainer trainer =
            Trainer.compile(
                device,
                (w, a, key) -> Objective.Value.of(loss(c, a.value(), w.value())),
                Tree.leaf(Type.f32(n, n)),
                Tree.leaf(scope.tensor(Type.f32(n)).set(c.array("w0").values())),
                optimizer,
                Key.of(1))) {
      trainer.batch().value().set(c.array("A").values());
      for (int k = 0; k < trajectory.length / n; k++) {
        trainer.step();
        double[] expected = Arrays.copyOfRange(trajectory, k * n, (k + 1) * n);
        double[] w = trainer.weights().value().toDoubles();
        Runs.assertClose(c + " after step " + (k + 1), w, expected, 2e-5);
      }
    }
  }
}
