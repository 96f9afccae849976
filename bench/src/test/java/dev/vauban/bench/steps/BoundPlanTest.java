package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cuda.FakeCard;
import org.junit.jupiter.api.Test;

/** What a timed run does beside computing: nothing. */
class BoundPlanTest {
  private static final int N = 5000;

  private static BoundPlan plan(Device device) {
    Tree<Type> types = Tree.of("x", Type.f32(N), "w", Type.f32());
    return new BoundPlan(
        device,
        types,
        Tree.of("y", Type.f32(N)),
        in -> Tree.of("y", in.get("x").mul(in.get("w").broadcastTo(in.get("x").shape()))),
        (inputs, scope, opened) -> {
          for (int i = 0; i < N; i++) {
            inputs.get("x").set(i, i);
          }
          inputs.get("w").set(0, 3);
        });
  }

  private static void assertTimes(BoundPlan plan, int factor) {
    float[] y = plan.outputs().get("y").toFloats();
    for (int i = 0; i < N; i++) {
      assertThat(y[i]).isEqualTo(factor * i);
    }
  }

  @Test
  void runsOnACardCopyNeitherInputsNorResults() {
    FakeCuda card = FakeCuda.control();
    try (BoundPlan plan = plan(FakeCard.open())) {
      long up = card.copiedToCard();
      long down = card.copiedToHost();
      long launches = card.calls("cuGraphLaunch");
      for (int run = 0; run < 3; run++) {
        plan.run();
      }
      assertThat(card.calls("cuGraphLaunch") - launches).isEqualTo(3);
      assertThat(card.copiedToCard() - up).isZero();
      assertThat(card.copiedToHost() - down).isLessThanOrEqualTo(3 * 64); // whether all went well
      assertTimes(plan, 3);
      assertThat(card.copiedToHost() - down).isGreaterThanOrEqualTo(4 * N);
    } finally {
      card.forget();
    }
  }

  @Test
  void changedInputsAreReadWhenThatIsSaid() {
    assertReread(Device.open("cpu:1"));
    assertReread(FakeCard.open());
    FakeCuda.control().forget();
  }

  private static void assertReread(Device device) {
    try (BoundPlan plan = plan(device)) {
      plan.run();
      assertTimes(plan, 3);
      plan.inputs().get("w").set(0, 4);
      plan.reread();
      plan.run();
      plan.run();
      assertTimes(plan, 4);
    }
  }
}
