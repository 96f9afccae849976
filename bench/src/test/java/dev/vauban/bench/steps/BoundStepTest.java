package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class BoundStepTest {
  private static final Map<String, StepCase> CASES =
      StepCase.all().stream().collect(Collectors.toMap(StepCase::name, Function.identity()));

  /**
   * The convolutions of one forward pass are known, and a first-order step runs at least forward
   * and both gradients on the support set five times and on the query set once.
   */
  @Test
  void thePlanCountsAtLeastTheConvolutionsOfThePaper() {
    double forward = 0;
    int side = 28;
    for (int block = 0; block < 4; block++) {
      forward += 2.0 * side * side * 9 * (block == 0 ? 1 : 64) * 64;
      side /= 2;
    }
    double firstOrder = 3 * forward * (5 * 5 + 75) * 4;
    try (BoundStep first = new BoundStep(CASES.get("fomaml-28"), 1);
        BoundStep second = new BoundStep(CASES.get("maml-28"), 1);
        BoundStep head = new BoundStep(CASES.get("anil-28"), 1)) {
      assertThat((double) first.flops()).isBetween(0.9 * firstOrder, 1.3 * firstOrder);
      assertThat((double) second.flops()).isBetween(33e9, 40e9);
      assertThat(head.flops()).isLessThan(first.flops());
    }
  }
}
