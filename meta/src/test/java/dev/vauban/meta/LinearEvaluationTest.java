package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.GlyphCounts;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LinearEvaluationTest {
  private final Tiny tiny = new Tiny(16);
  private final FewShotData data =
      DataSets.open(
          "glyphs", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(6, 2, 2, 40)).withSize(12));
  private final Device device = Device.open("cpu:1");

  @AfterEach
  void close() {
    device.close();
    data.close();
    tiny.close();
  }

  private static Attack pgd(double eps) {
    return Attacks.named("pgd-5", Attacks.Options.eps(eps));
  }

  private LinearEvaluation evaluate(Model model, Tree<Tensor> theta, double train, double test) {
    LinearEvaluation.Setting setting =
        new LinearEvaluation.Setting(4, 8, 150, 0.02, pgd(train), pgd(test));
    MetaLearner maml = MetaLearners.named("maml", model, Tiny.options()).evaluation();
    return LinearEvaluation.of(device, maml, model, theta, data.train(), setting, Key.of(3));
  }

  /** On pixels themselves: a head trained against the attack holds better than one that was not. */
  @Test
  void theHeadLearnsWhatItIsTrainedFor() {
    Model pixels = Models.named("linear", Shape.of(12, 12, 1), 3);
    Tree<Tensor> theta = pixels.init(tiny.scope, Key.of(1));
    LinearEvaluation plain = evaluate(pixels, theta, 0, 0.15);
    LinearEvaluation robust = evaluate(pixels, theta, 0.15, 0.15);
    assertThat(plain.images()).isEqualTo(4 * 10);
    assertThat(plain.clean()).isGreaterThan(0.6);
    assertThat(plain.robust()).isLessThan(plain.clean() - 0.1);
    assertThat(robust.robust()).isGreaterThan(plain.robust());
    LinearEvaluation unattacked = evaluate(pixels, theta, 0, 0);
    assertThat(unattacked.robust()).isEqualTo(unattacked.clean()).isEqualTo(plain.clean());
  }

  /** The encoder is frozen: one that says nothing leaves the head nothing to learn. */
  @Test
  void anEmptyEncoderIsNoBetterThanChance() {
    Tree<Tensor> zero = tiny.weights.map(t -> tiny.scope.tensor(t.type()));
    assertThat(evaluate(tiny.model, zero, 0, 0).clean()).isLessThanOrEqualTo(0.4);
    assertThat(evaluate(tiny.model, tiny.weights, 0, 0).clean()).isGreaterThan(0.5);
  }

  @Test
  void aBatchThatIsTooLargeIsSaid() {
    LinearEvaluation.Setting setting = new LinearEvaluation.Setting(2, 500, 1, 0.1, pgd(0), pgd(0));
    assertThatThrownBy(() ->
            LinearEvaluation.of(
                device,
                tiny.method("maml").evaluation(),
                tiny.model,
                tiny.weights,
                tiny.data.train(),
                setting,
                Key.of(1)))
        .hasMessageStartingWith("a batch of 500 is more than the ");
  }
}
