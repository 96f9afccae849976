package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class OptimizerAttackTest {
  private static final Type IMAGES = Type.f32(4, 3, 3, 1);
  private static final LearnedOptimizer NET =
      new LearnedOptimizer(3, LearnedOptimizer.Input.LOG_AND_SIGN, 0.5);

  /** The attacked images of a loss that is not linear, and that loss before and after. */
  private static Tree<Tensor> run(Scope scope, Function<Tree<Expr>, Attack> attack) {
    Tree<Type> types = Tree.of("x", IMAGES, "key", Type.i32(2));
    Program program =
        Program.trace(
            types.with("phi", Weight.types(NET.weights())),
            in -> {
              Expr x = in.get("x");
              Expr adv =
                  attack.apply(in.sub("phi")).perturb(OptimizerAttackTest::loss, x, in.get("key"));
              return Tree.of("adv", adv, "before", loss(x).sum(), "after", loss(adv).sum());
            });
    Tensor x = scope.tensor(IMAGES);
    for (int i = 0; i < x.size(); i++) {
      x.set(i, Key.of(1).uniform(i));
    }
    try (Device device = Device.open("cpu:1");
        Plan plan = device.compile(program)) {
      Tree<Tensor> in = Tree.of("x", x, "key", scope.tensor(Type.i32(2)).set(1.0, 2.0));
      return plan.run(scope, in.with("phi", Weight.init(NET.weights(), scope, Key.of(3))));
    }
  }

  private static Expr loss(Expr x) {
    Expr flat = x.reshape(x.shape().dim(0), 9);
    return flat.mul(7).sin().sum(1);
  }

  private static Optimizer signs(double rate) {
    return Optimizers.sgd(rate).after(g -> g.map(Expr::sign));
  }

  @Test
  void withSignsOfTheGradientItIsPgd() {
    try (Scope scope = Scope.open()) {
      Linf ball = new Linf(0.1);
      for (Start from : Start.values()) {
        Pgd pgd = new Pgd(ball, 0.03, 7).from(from);
        double[] signs =
            run(scope, phi -> new OptimizerAttack(ball, signs(0.03), 7, from))
                .get("adv")
                .toDoubles();
        assertThat(signs).containsExactly(run(scope, phi -> pgd).get("adv").toDoubles());
      }
    }
  }

  /** Learned or not, it stays in ball and box; Adam climbs. */
  @Test
  void anyOptimizerServes() {
    try (Scope scope = Scope.open()) {
      Ball ball = new L2(0.5);
      Tree<Tensor> adam =
          run(scope, phi -> new OptimizerAttack(ball, Optimizers.adam(0.05), 20, Start.IMAGE));
      assertThat(adam.get("after").get(0)).isGreaterThan(adam.get("before").get(0) + 2);
      Tree<Tensor> learned =
          run(scope, phi -> new OptimizerAttack(ball, NET.with(phi), 20, Start.RANDOM));
      for (Tree<Tensor> out : List.of(adam, learned)) {
        for (int image = 0; image < 4; image++) {
          double square = 0;
          for (int i = 0; i < 9; i++) {
            double v = out.get("adv").get(image * 9 + i);
            assertThat(v).isBetween(0.0, 1.0);
            square += Math.pow(v - (float) Key.of(1).uniform(image * 9 + i), 2);
          }
          assertThat(Math.sqrt(square)).isLessThan(0.5 + 1e-5);
        }
      }
      assertThatThrownBy(() -> new OptimizerAttack(ball, Optimizers.adam(1), 0, Start.IMAGE))
          .hasMessage("an attack needs at least 1 step, not 0");
    }
  }
}
