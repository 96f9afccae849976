package dev.vauban.adversarial.blackbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.blackbox.Estimator.Directions;
import dev.vauban.adversarial.blackbox.Estimator.OneSided;
import dev.vauban.adversarial.blackbox.Estimator.Pixels;
import dev.vauban.adversarial.blackbox.Estimator.TwoSided;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Estimated gradients of functions whose gradients are known. */
class EstimatorTest {
  private static final int D = 200;
  private static final LinearOracle LINE =
      new LinearOracle(Shape.of(D, 1, 1), Oracle.Reply.SCORES, Key.of(1));

  static Stream<Estimator> random() {
    return Stream.of(Directions.values())
        .flatMap(u -> Stream.of(new TwoSided(u, 50, 0.01), new OneSided(u, 50, 0.01)));
  }

  private static double[] of(Function<float[], Double> f, float[] x, Estimator e, Draw draw) {
    Function<float[][], double[]> all =
        points -> Arrays.stream(points).mapToDouble(f::apply).toArray();
    return e.gradient(all, x, f.apply(x), draw);
  }

  private static float[] grey() {
    float[] x = new float[D];
    Arrays.fill(x, 0.5f);
    return x;
  }

  private static double cosine(double[] a, double[] b) {
    return Vectors.dot(a, b) / (Metric.L2.length(a) * Metric.L2.length(b));
  }

  @ParameterizedTest
  @MethodSource("random")
  void ofLinearFunctionsTheMeanIsTheGradientAndTheAngleFollowsTheLaw(Estimator estimator) {
    int repeats = 100;
    double[] mean = new double[D];
    double angle = 0;
    Draw draw = new Draw(Key.of(5));
    for (int k = 0; k < repeats; k++) {
      double[] g = of(LINE::value, grey(), estimator, draw);
      Vectors.add(mean, 1.0 / repeats, g);
      angle += cosine(g, LINE.a) / repeats;
    }
    // 50 directions in 200 dimensions: sqrt(q / (d + q)); 5,000 in the mean.
    assertThat(angle).isCloseTo(Math.sqrt(50.0 / 250), within(0.02));
    assertThat(cosine(mean, LINE.a)).isGreaterThan(Math.sqrt(5000.0 / 5200) - 0.01);
    assertThat(Metric.L2.length(mean) / Metric.L2.length(LINE.a)).isCloseTo(1, within(0.06));
  }

  @Test
  void onQuadraticsTwoSidesHaveNoBiasAndOneSideHas() {
    Function<float[], Double> square =
        x -> {
          double sum = 0;
          for (int i = 0; i < D; i++) {
            sum += (x[i] - 0.3) * (x[i] - 0.3);
          }
          return sum;
        };
    double[] exact = new double[D];
    Arrays.fill(exact, 2 * (0.5 - 0.3));
    double[] pixels = of(square, grey(), new Pixels(D, 0.01), new Draw(Key.of(1)));
    for (int i = 0; i < D; i++) {
      assertThat(pixels[i]).isCloseTo(exact[i], within(1e-4)); // float pixels
    }
    // Along a sign vector u the second difference is D h^2 whatever u is: it shifts one side alone.
    float[] least = new float[D];
    Arrays.fill(least, 0.3f);
    double[] two = of(square, least, new TwoSided(Directions.SIGNS, 1, 0.01), new Draw(Key.of(2)));
    double[] one = of(square, least, new OneSided(Directions.SIGNS, 1, 0.01), new Draw(Key.of(2)));
    assertThat(Metric.LINF.length(two)).isLessThan(1e-4);
    assertThat(Metric.LINF.length(one)).isCloseTo(D * 0.01, within(1e-3));
  }

  @Test
  void pixelsAreExactWhereAskedAndZeroElsewhereEvenAtTheEdgeOfTheRange() {
    float[] x = grey();
    x[0] = 0;
    x[1] = 1;
    double[] g = of(LINE::value, x, new Pixels(60, 1e-2), new Draw(Key.of(3)));
    int zeros = 0;
    for (int i = 0; i < D; i++) {
      if (g[i] == 0) {
        zeros++;
      } else {
        assertThat(g[i]).isCloseTo(LINE.a[i], within(1e-3));
      }
    }
    assertThat(zeros).isEqualTo(D - 60);
    double[] all = of(LINE::value, x, new Pixels(D, 1e-2), new Draw(Key.of(3)));
    assertThat(cosine(all, LINE.a)).isGreaterThan(0.9999);
  }
}
