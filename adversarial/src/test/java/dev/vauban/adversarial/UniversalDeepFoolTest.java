package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class UniversalDeepFoolTest {
  private static final int SIZE = 16;
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();
  private final Model model = Models.named("linear", Shape.of(4, 4, 1), 3);
  private final Tree<Tensor> weights = model.init(scope, Key.of(1));

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private static List<float[]> images(int count) {
    List<float[]> images = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[] image = new float[SIZE];
      for (int p = 0; p < SIZE; p++) {
        image[p] = (float) Key.of(5).fold(i).uniform(p);
      }
      images.add(image);
    }
    return images;
  }

  private double[] logits(float[] image, float[] delta) {
    Tensor w =
        weights.paths().values().stream()
            .filter(t -> t.shape().rank() == 2)
            .findFirst()
            .orElseThrow();
    Tensor b =
        weights.paths().values().stream()
            .filter(t -> t.shape().rank() == 1)
            .findFirst()
            .orElseThrow();
    double[] logits = b.toDoubles();
    for (int k = 0; k < 3; k++) {
      for (int p = 0; p < SIZE; p++) {
        logits[k] += w.get(p * 3L + k) * (image[p] + delta[p]);
      }
    }
    return logits;
  }

  private static int largest(double[] logits) {
    int best = 0;
    for (int k = 1; k < logits.length; k++) {
      best = logits[k] > logits[best] ? k : best;
    }
    return best;
  }

  /** On a linear network DeepFool's change is the distance to the nearest boundary, and 2%. */
  @Test
  void oneImageMovesJustBeyondItsNearestBoundary() {
    float[] image = images(1).getFirst();
    double[] before = logits(image, new float[SIZE]);
    int truth = largest(before);
    Tensor w =
        weights.paths().values().stream()
            .filter(t -> t.shape().rank() == 2)
            .findFirst()
            .orElseThrow();
    double distance = Double.MAX_VALUE;
    for (int k = 0; k < 3; k++) {
      double squares = 0;
      for (int p = 0; p < SIZE; p++) {
        squares += Math.pow(w.get(p * 3L + k) - w.get(p * 3L + truth), 2);
      }
      if (k != truth) {
        distance = Math.min(distance, (before[truth] - before[k]) / Math.sqrt(squares));
      }
    }
    float[] delta = UniversalDeepFool.of(1).perturbation(device, model, weights, List.of(image));
    double norm = 0;
    for (float d : delta) {
      norm += d * d;
    }
    assertThat(Math.sqrt(norm)).isCloseTo(1.02 * distance, within(1e-4));
    assertThat(largest(logits(image, delta))).isNotEqualTo(truth);
  }

  @Test
  void onePerturbationFoolsMostOfManyImagesWithinTheBound() {
    List<float[]> images = images(30);
    float[] delta = UniversalDeepFool.of(0.5).perturbation(device, model, weights, images);
    int fooled = 0;
    for (float[] image : images) {
      fooled += largest(logits(image, delta)) == largest(logits(image, new float[SIZE])) ? 0 : 1;
    }
    assertThat(fooled).isGreaterThan(15);
    float[] small = UniversalDeepFool.of(0.01).perturbation(device, model, weights, images);
    for (float d : small) {
      assertThat(Math.abs(d)).isLessThanOrEqualTo(0.01f);
    }
    assertThatThrownBy(() -> new UniversalDeepFool(0, 0.02, 50, 10, 0.8))
        .hasMessageContaining("needs eps and enough in (0,1]");
  }
}
