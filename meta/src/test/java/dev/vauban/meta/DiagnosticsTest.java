package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Activation;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Model;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DiagnosticsTest {
  /** Features are linear in the pixels: the image that maximises one is 0 or 1 by its signs. */
  @Test
  void anInvertedInputMaximisesItsFeature() {
    Model model =
        new Model(
            "linear features",
            Shape.of(4, 3, 1),
            Layers.sequential(Layers.mlp(Activation.RELU, 6)),
            Layers.linear(2));
    try (Device device = Device.open("reference");
        Scope scope = Scope.open()) {
      Tree<Tensor> w = model.init(scope, Key.of(3));
      MetaLearner maml = MetaLearners.named("maml", model, Tiny.options()).evaluation();
      InvertedInputs found =
          InvertedInputs.of(
              device, maml, model, w, 3, new InvertedInputs.Ascent(400, 0.1), Key.of(4));
      assertThat(found.neurons()).containsExactly(1, 3, 5);
      double[] matrix = w.get("body/mlp1/linear1/w").toDoubles();
      for (int k = 0; k < 3; k++) {
        for (int p = 0; p < 12; p++) {
          double slope = matrix[p * 6 + found.neurons().get(k)];
          if (Math.abs(slope) > 0.03) {
            assertThat(found.images().get(k)[p]).isEqualTo(slope > 0 ? 1f : 0f);
          }
        }
        assertThat(found.change().get(k)[0])
            .isCloseTo(Math.abs(found.images().get(k)[0] - 0.2f), within(0.01f));
      }
    }
  }

  @Test
  void theLowShareTellsAWaveFromNoise() {
    int h = 16;
    float[] slow = new float[h * h];
    float[] fast = new float[h * h];
    for (int i = 0; i < h; i++) {
      for (int j = 0; j < h; j++) {
        slow[i * h + j] = (float) Math.sin(2 * Math.PI * j / h) + 5;
        fast[i * h + j] = (i + j) % 2 + 5;
      }
    }
    assertThat(InvertedInputs.lowShare(slow, h, h, 1)).isCloseTo(1, within(1e-6));
    assertThat(InvertedInputs.lowShare(fast, h, h, 1)).isCloseTo(0, within(1e-6));
  }

  /** The features of given images, for methods whose theta is the weights and for others. */
  @ParameterizedTest
  @ValueSource(strings = {"maml", "meta-sgd", "maml-lft", "protonet", "maml++"})
  void intrinsicDimensionOfGivenImages(String name) {
    try (Tiny tiny = new Tiny();
        Device device = Device.open("cpu:1")) {
      Method method = tiny.method(name);
      Tree<Tensor> theta = method.training().init(tiny.weights, tiny.scope);
      List<float[]> images = new ArrayList<>();
      List<float[]> alike = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        float[] x = new float[144];
        float[] y = new float[144];
        for (int p = 0; p < 144; p++) {
          x[p] = (float) Key.of(i).uniform(p);
          y[p] = (float) (0.02 * x[p] + (i % 2) * Key.of(99).uniform(p));
        }
        images.add(x);
        alike.add(y);
      }
      IntrinsicDimension of =
          IntrinsicDimension.of(device, method.evaluation(), tiny.model, theta, images);
      IntrinsicDimension low =
          IntrinsicDimension.of(device, method.evaluation(), tiny.model, theta, alike);
      assertThat(of.id90()).isGreaterThan(low.id90());
      IntrinsicDimension plain =
          IntrinsicDimension.of(
              device, tiny.method("maml").evaluation(), tiny.model, tiny.weights, images);
      assertThat(of.id90()).isEqualTo(plain.id90());
    }
  }
}
