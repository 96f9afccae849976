package dev.vauban.nn.augment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every augmentation against plain loops that share nothing with it but the random numbers. */
class AugmentationTest {
  private static final int N = 3;
  private static final int H = 7;
  private static final int W = 6;
  private static final Key KEY = Key.of(11);

  /** One image in plain Java: value [H][W][C] to value, with the image's number. */
  private interface Plain {
    double[][][] apply(double[][][] x, int image, Key key);
  }

  private record Case(Augmentation traced, Plain plain) {}

  private static double u(Key key, int image) {
    return (key.bits(image) >>> 40) * 0x1p-24;
  }

  private static double between(Key key, int image, double low, double high) {
    return low + (high - low) * u(key, image);
  }

  /** The value at a place, 0 outside. */
  private static double at(double[][][] x, int i, int j, int c) {
    return i < 0 || j < 0 || i >= x.length || j >= x[0].length ? 0 : x[i][j][c];
  }

  private interface Pixel {
    double at(int i, int j, int c);
  }

  private static double[][][] build(double[][][] x, Pixel p) {
    double[][][] y = new double[x.length][x[0].length][x[0][0].length];
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < y[0].length; j++) {
        for (int c = 0; c < y[0][0].length; c++) {
          y[i][j][c] = p.at(i, j, c);
        }
      }
    }
    return y;
  }

  /** Bilinear interpolation as the sum over all pixels of their hats. */
  private static double hats(double[][][] x, double row, double col, int c) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x[0].length; j++) {
        double hat = Math.max(0, 1 - Math.abs(row - i)) * Math.max(0, 1 - Math.abs(col - j));
        sum += hat * x[i][j][c];
      }
    }
    return sum;
  }

  private static double[][][] flip(double[][][] x, int n, Key key) {
    return u(key, n) < 0.5 ? build(x, (i, j, c) -> x[i][x[0].length - 1 - j][c]) : x;
  }

  private static double[][][] crop(double[][][] x, int n, Key key) {
    int down = (int) (5 * u(key.fold(0), n)) - 2;
    int right = (int) (5 * u(key.fold(1), n)) - 2;
    return build(x, (i, j, c) -> at(x, i + down, j + right, c));
  }

  /** Where a pixel comes from: undo the shift, the scale, the rotation and the shear by matrix. */
  private static double[][][] affine(double[][][] x, int n, Key key) {
    double angle = between(key.fold(0), n, -0.5, 0.5);
    double zoom = Math.exp(between(key.fold(1), n, Math.log(0.8), Math.log(1.5)));
    double down = between(key.fold(2), n, -1.5, 1.5);
    double right = between(key.fold(3), n, -1.5, 1.5);
    double tan = Math.tan(between(key.fold(4), n, -0.2, 0.2));
    double mr = (x.length - 1) / 2.0;
    double mc = (x[0].length - 1) / 2.0;
    return build(
        x,
        (i, j, c) -> {
          double r = i - mr;
          double q = j - mc + tan * r;
          double row = (Math.cos(angle) * r + Math.sin(angle) * q) / zoom - down + mr;
          double col = (-Math.sin(angle) * r + Math.cos(angle) * q) / zoom - right + mc;
          return hats(x, row, col, c);
        });
  }

  private static double[][][] resizedCrop(double[][][] x, int n, Key key) {
    double side = Math.sqrt(between(key.fold(0), n, 0.3, 1));
    double skew = Math.exp(between(key.fold(1), n, -Math.log(1.5) / 2, Math.log(1.5) / 2));
    double tall = Math.min(1, side * skew);
    double wide = Math.min(1, side / skew);
    double top = (1 - tall) * u(key.fold(2), n) * (x.length - 1);
    double left = (1 - wide) * u(key.fold(3), n) * (x[0].length - 1);
    return build(x, (i, j, c) -> hats(x, top + i * tall, left + j * wide, c));
  }

  private static double clip(double v) {
    return Math.max(0, Math.min(1, v));
  }

  private static double grey(double[] p) {
    return p.length == 1 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
  }

  private static double[][][] jitter(double[][][] x, int n, Key key) {
    double b = between(key.fold(0), n, 0.6, 1.4);
    double k = between(key.fold(1), n, 0.5, 1.5);
    double s = between(key.fold(2), n, 0.3, 1.7);
    double turn = between(key.fold(3), n, -2 * Math.PI * 0.1, 2 * Math.PI * 0.1);
    double[][][] bright = build(x, (i, j, c) -> clip(b * x[i][j][c]));
    double mean = 0;
    for (double[][] row : bright) {
      for (double[] p : row) {
        mean += grey(p) / (x.length * x[0].length);
      }
    }
    double m = mean;
    double[][][] contrast = build(x, (i, j, c) -> clip(k * bright[i][j][c] + (1 - k) * m));
    if (x[0][0].length == 1) {
      return contrast;
    }
    double[][][] full =
        build(x, (i, j, c) -> clip(s * contrast[i][j][c] + (1 - s) * grey(contrast[i][j])));
    return build(x, (i, j, c) -> clip(turned(full[i][j], turn)[c]));
  }

  private static double[] turned(double[] p, double angle) {
    double y = grey(p);
    double i = 0.595716 * p[0] - 0.274453 * p[1] - 0.321263 * p[2];
    double q = 0.211456 * p[0] - 0.522591 * p[1] + 0.311135 * p[2];
    double a = i * Math.cos(angle) - q * Math.sin(angle);
    double b = i * Math.sin(angle) + q * Math.cos(angle);
    return new double[] {
      y + 0.9563 * a + 0.6210 * b, y - 0.2721 * a - 0.6474 * b, y - 1.1070 * a + 1.7046 * b
    };
  }

  private static double[][][] greyed(double[][][] x, int n, Key key) {
    return u(key, n) < 0.6 ? build(x, (i, j, c) -> grey(x[i][j])) : x;
  }

  private static int mirrored(int i, int size) {
    int at = Math.abs(i);
    return at < size ? at : 2 * (size - 1) - at;
  }

  /** The whole two-dimensional kernel at once. */
  private static double[][][] blur(double[][][] x, int n, Key key) {
    if (!(u(key.fold(1), n) < 0.7)) {
      return x;
    }
    double s = between(key.fold(0), n, 0.4, 1.5);
    return build(
        x,
        (i, j, c) -> {
          double sum = 0;
          double weights = 0;
          for (int a = -2; a <= 2; a++) {
            for (int b = -2; b <= 2; b++) {
              double w = Math.exp(-(a * a + b * b) / (2 * s * s));
              sum += w * x[mirrored(i + a, x.length)][mirrored(j + b, x[0].length)][c];
              weights += w;
            }
          }
          return sum / weights;
        });
  }

  private static double[][][] cutout(double[][][] x, int n, Key key) {
    int top = (int) (x.length * u(key.fold(0), n)) - 1;
    int left = (int) (x[0].length * u(key.fold(1), n)) - 1;
    return build(
        x, (i, j, c) -> i >= top && i < top + 3 && j >= left && j < left + 3 ? 0 : x[i][j][c]);
  }

  static Stream<Arguments> cases() {
    Map<String, Case> each =
        Map.of(
            "flip", new Case(new Flip(0.5), AugmentationTest::flip),
            "crop", new Case(new Crop(2), AugmentationTest::crop),
            "affine",
                new Case(
                    new Affine(Math.toDegrees(0.5), 1.5, 0.8, 1.5, Math.toDegrees(0.2)),
                    AugmentationTest::affine),
            "resized-crop", new Case(new ResizedCrop(0.3, 1, 1.5), AugmentationTest::resizedCrop),
            "jitter", new Case(new ColourJitter(0.4, 0.5, 0.7, 0.1), AugmentationTest::jitter),
            "grey", new Case(new Grey(0.6), AugmentationTest::greyed),
            "blur", new Case(new Blur(2, 0.4, 1.5, 0.7), AugmentationTest::blur),
            "cutout", new Case(new Cutout(3), AugmentationTest::cutout),
            "chain",
                new Case(
                    new Crop(2).then(new Flip(0.5)),
                    (x, n, key) -> flip(crop(x, n, key.fold(0)), n, key.fold(1))));
    return each.entrySet().stream()
        .flatMap(e -> Stream.of(1, 3).map(c -> Arguments.of(e.getKey(), c, e.getValue())));
  }

  private static double[] images(int channels) {
    double[] x = new double[N * H * W * channels];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Key.of(5).uniform(i);
    }
    return x;
  }

  private static Program program(Augmentation a, int channels) {
    return Program.trace(
        Tree.of("x", Type.f32(N, H, W, channels), "key", Type.i32(2)),
        in -> Tree.of("y", a.apply(in.get("x"), in.get("key"))));
  }

  @ParameterizedTest(name = "{0} of {1} channels")
  @MethodSource("cases")
  void doesWhatThePlainLoopsDo(String name, int channels, Case c) {
    double[] x = images(channels);
    Program p = program(c.traced, channels);
    double[] y =
        Reference.evaluate(p.graph(), List.of(x, new double[] {KEY.k0(), KEY.k1()})).getFirst();
    double change = 0;
    for (int n = 0; n < N; n++) {
      double[][][] image = new double[H][W][channels];
      int first = n * H * W * channels;
      for (int i = 0; i < H * W * channels; i++) {
        image[i / (W * channels)][i / channels % W][i % channels] = x[first + i];
      }
      double[][][] expected = c.plain.apply(image, n, KEY);
      for (int i = 0; i < H * W * channels; i++) {
        double e = expected[i / (W * channels)][i / channels % W][i % channels];
        assertThat(y[first + i]).as("image %d, value %d", n, i).isCloseTo(e, within(1e-6));
        change = Math.max(change, Math.abs(y[first + i] - x[first + i]));
      }
    }
    if (channels == 3 || !name.equals("grey")) {
      assertThat(change).as("it changes something").isGreaterThan(0.01);
    }
  }

  /** The cpu backend runs the same plan to the same images, alone and as one element of a map. */
  @ParameterizedTest(name = "{0} of {1} channels")
  @MethodSource("cases")
  void runsOnTheCpu(String name, int channels, Case c) {
    double[] x = images(channels);
    Program p = program(c.traced, channels);
    double[] expected =
        Reference.evaluate(p.graph(), List.of(x, new double[] {KEY.k0(), KEY.k1()})).getFirst();
    try (Device cpu = Device.open("cpu:1");
        Plan plan = cpu.compile(p);
        Scope scope = Scope.open()) {
      Tensor images = scope.tensor(p.inputs().get("x")).set(x);
      double[] y =
          plan.run(scope, Tree.of("x", images, "key", scope.key(KEY))).get("y").toDoubles();
      for (int i = 0; i < y.length; i++) {
        assertThat(y[i]).as("value %d", i).isCloseTo(expected[i], within(2e-5));
      }
    }
  }

  /** The gradient in the images, against a central difference along one direction. */
  @ParameterizedTest(name = "{0} of {1} channels")
  @MethodSource("cases")
  void theGradientIsThatOfTheImages(String name, int channels, Case c) {
    double[] x = images(channels);
    Type type = Type.f32(N, H, W, channels);
    double[] weights = new double[x.length];
    double[] direction = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      weights[i] = (float) Key.of(6).normal(i);
      direction[i] = Key.of(7).normal(i);
    }
    Expr key = Expr.data(Type.i32(2), KEY.k0(), KEY.k1());
    Program slope =
        Program.trace(
            Tree.of("x", type),
            in ->
                Tree.leaf(
                    Grad.grad(
                        z -> c.traced.apply(z, key).mul(Expr.data(type, weights)).sum(),
                        in.get("x"))));
    double[] g = Reference.evaluate(slope.graph(), List.of(x)).getFirst();
    Program value =
        Program.trace(
            Tree.of("x", type),
            in -> Tree.leaf(c.traced.apply(in.get("x"), key).mul(Expr.data(type, weights)).sum()));
    double h = 1e-7;
    double exact = 0;
    double[] up = x.clone();
    double[] down = x.clone();
    for (int i = 0; i < x.length; i++) {
      exact += g[i] * direction[i];
      up[i] += h * direction[i];
      down[i] -= h * direction[i];
    }
    double difference =
        (Reference.evaluate(value.graph(), List.of(up)).getFirst()[0]
                - Reference.evaluate(value.graph(), List.of(down)).getFirst()[0])
            / (2 * h);
    assertThat(exact).isCloseTo(difference, within(1e-4 * (1 + Math.abs(difference))));
  }

  @Test
  void anotherKeyGivesAnotherView() {
    Program p = program(Augmentations.photos(), 3);
    double[] x = images(3);
    double[] a = Reference.evaluate(p.graph(), List.of(x, new double[] {1, 2})).getFirst();
    double[] b = Reference.evaluate(p.graph(), List.of(x, new double[] {1, 3})).getFirst();
    assertThat(a).isNotEqualTo(b);
    for (double v : a) {
      assertThat(v).isBetween(0.0, 1.0);
    }
  }

  @Test
  void namesAndRanges() {
    assertThat(Augmentations.names()).allSatisfy(n -> Augmentations.named(n));
    assertThatThrownBy(() -> Augmentations.named("photo"))
        .hasMessageStartingWith("unknown augmentation 'photo'; did you mean 'photos'?");
    assertThatThrownBy(() -> new Flip(1.5))
        .hasMessage("flip probability must be from 0.0 to 1.0, not 1.5");
    assertThat(Augmentations.suited(Shape.of(28, 28, 1))).isEqualTo(Augmentations.strokes());
  }
}
