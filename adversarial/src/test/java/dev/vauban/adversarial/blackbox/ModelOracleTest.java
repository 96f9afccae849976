package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** A network as an oracle. */
class ModelOracleTest {
  @Test
  void batchesOfAnySizeGetTheSameAnswersAndANetworkIsFooled() {
    Shape image = Shape.of(6, 5, 1);
    Model net = Models.named("mlp-12", image, 4);
    try (Device device = Device.open("cpu");
        Scope scope = Scope.open()) {
      Tree<Tensor> weights = net.init(scope, Key.of(4));
      try (Oracle oracle = new ModelOracle(device, image, 4, weights, net::logits, 16)) {
        float[][] images = new float[11][30];
        Draw draw = new Draw(Key.of(2));
        for (float[] x : images) {
          for (int i = 0; i < x.length; i++) {
            x[i] = (float) draw.uniform();
          }
        }
        Answers together = oracle.ask(images);
        for (int i = 0; i < images.length; i++) {
          Answers alone = oracle.ask(new float[][] {images[i]});
          assertThat(alone.labels()[0]).isEqualTo(together.labels()[i]);
          assertThat(alone.scores()[0]).containsExactly(together.scores()[i], Offset.offset(1e-5));
        }
        QueryResult result =
            new Campaign(new Square(), Threat.linf(0.4), 500)
                .run(oracle, images, together.labels(), Key.of(1));
        assertThat(result.attacked()).hasSize(11);
        assertThat(result.successRate()).isGreaterThan(0.8);
      }
    }
  }
}
