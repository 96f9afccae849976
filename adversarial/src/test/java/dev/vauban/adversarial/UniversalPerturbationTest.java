package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Batch;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import org.junit.jupiter.api.Test;

/** Two images of two pixels, two classes; the logits of an image are its pixels. */
class UniversalPerturbationTest {
  private static final double[] IMAGES = {0.9, 0.2, 0.4, 0.6};

  private static Tree<Tensor> run(Scope scope, UniversalPerturbation p, double... delta) {
    Program program =
        Program.trace(
            Tree.of("delta", Type.f32(1, 2, 1)),
            in -> {
              Batch<Expr> batch =
                  new Batch<>(
                      Expr.data(Type.f32(2, 1, 2, 1), IMAGES), Expr.data(Type.i32(2), 0, 1));
              Expr d = in.get("delta");
              Grad.Result loss =
                  Grad.valueAndGrad(
                      t -> p.loss(x -> x.reshape(2, 2), t.value(), batch), Tree.leaf(d));
              return Tree.of("loss", loss.value(), "gradient", loss.gradient().value())
                  .with("success", p.success(x -> x.reshape(2, 2), d, batch))
                  .with("projected", p.project(d))
                  .with("applied", p.applied(batch.x(), d));
            });
    try (Device device = Device.open("reference");
        Plan plan = device.compile(program)) {
      Tensor t = scope.tensor(Type.f32(1, 2, 1)).set(delta);
      return plan.run(scope, Tree.of("delta", t));
    }
  }

  /** Margins 0.7 and 0.2; by hand. */
  @Test
  void theLossIsTheMeanMarginWithAFloorAndAPenalty() {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> none = run(scope, new UniversalPerturbation(0.3, 0, 0), 0, 0);
      assertThat(none.get("loss").get(0)).isCloseTo((0.7 + 0.2) / 2, within(1e-6));
      assertThat(none.get("success").get(0)).isZero();
      // z0 - z1 for the first image, z1 - z0 for the second: nothing moves both.
      assertThat(none.get("gradient").toDoubles()).containsExactly(0, 0);

      // Pixel 0 up by 0.3: clipped at 1 in the first image; the second is misclassified by 0.1.
      Tree<Tensor> up = run(scope, new UniversalPerturbation(0.3, 0.05, 2), 0.3, 0);
      assertThat(up.get("applied").toDoubles()[0]).isEqualTo(1);
      assertThat(up.get("loss").get(0)).isCloseTo((0.8 - 0.05) / 2 + 2 * 0.3 / 2, within(1e-6));
      assertThat(up.get("success").get(0)).isEqualTo(0.5);
      // First image: pixel 0 clipped, pixel 1 lowers its margin; second: below the floor; penalty.
      assertThat(up.get("gradient").get(0)).isCloseTo(2.0 / 2, within(1e-6));
      assertThat(up.get("gradient").get(1)).isCloseTo(-0.5, within(1e-6));
    }
  }

  @Test
  void theBoundIsKept() {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> out = run(scope, new UniversalPerturbation(0.25, 0, 0), 0.7, -0.1);
      assertThat(out.get("projected").get(0)).isEqualTo(0.25);
      assertThat(out.get("projected").get(1)).isCloseTo(-0.1, within(1e-7));
    }
    assertThatThrownBy(() -> new UniversalPerturbation(0, 0, 0)).hasMessageContaining("eps");
    assertThatThrownBy(() -> new UniversalPerturbation(0.1, -1, 0)).hasMessageContaining("kappa");
  }
}
