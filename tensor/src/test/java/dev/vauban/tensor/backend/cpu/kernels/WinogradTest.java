package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WinogradTest {
  @Test
  void theUsualLayers() {
    for (int side : new int[] {14, 7, 3, 5, 21}) {
      check(same(2, side, side, 64, 64));
    }
    check(same(3, 14, 13, 16, 32));
    check(same(1, 21, 21, 32, 32));
    check(same(7, 8, 8, 128, 16));
  }

  @Test
  void imagesSmallerThanATile() {
    for (int h = 1; h <= 4; h++) {
      for (int w = 1; w <= 4; w++) {
        check(same(3, h, w, 17, 16));
      }
    }
    check(padded(2, 3, 3, 16, 33, 0, 0, 0, 0)); // one pixel results
    check(padded(2, 1, 1, 20, 16, 2, 2, 2, 2));
    check(padded(2, 1, 1, 20, 16, 2, 0, 0, 2));
  }

  @Test
  void everyPadding() {
    for (int p = 0; p < 81; p++) {
      check(padded(1, 5, 6, 5, 3, p % 3, p / 3 % 3, p / 9 % 3, p / 27));
    }
  }

  @Test
  void channelsThatDoNotFillVectors() {
    for (int n : new int[] {1, 7, 15, 17, 31, 33, 47, 65}) {
      check(same(1, 6, 9, n, 16));
      check(same(1, 9, 6, 16, n));
      check(same(2, 5, 5, n, 66 - n));
    }
    check(same(1, 4, 4, 300, 20)); // more than one block of the reduction
    check(same(1, 4, 4, 20, 300));
  }

  @Test
  void manyTiles() {
    check(same(75, 3, 3, 16, 16));
    check(same(5, 30, 67, 3, 4));
    check(same(1, 130, 5, 16, 8));
  }

  @Test
  void seededRandomShapes() {
    var random = new SplittableRandom(5);
    int checked = 0;
    while (checked < 120) {
      int h = 1 + random.nextInt(19);
      int w = 1 + random.nextInt(19);
      int[] p = random.ints(4, 0, 3).toArray();
      if (h + p[0] + p[1] < 3 || w + p[2] + p[3] < 3) {
        continue;
      }
      int c = 1 + random.nextInt(40);
      int k = 1 + random.nextInt(40);
      check(padded(1 + random.nextInt(4), h, w, c, k, p[0], p[1], p[2], p[3]));
      checked++;
    }
  }

  @Test
  void whatItCannotDoIsRefused() {
    WindowShape w = WindowShape.square(3, 1, 1);
    assertThat(Winograd.fits(new ConvShape(1, 8, 8, 16, 16, w, 1))).isTrue();
    WindowShape[] others = {
      WindowShape.square(3, 2, 1),
      WindowShape.square(5, 1, 2),
      WindowShape.square(1, 1, 0),
      WindowShape.square(3, 1, 3),
      new WindowShape(3, 3, 1, 1, 1, 1, 1, 1, 2, 1),
    };
    for (WindowShape o : others) {
      assertThat(Winograd.fits(new ConvShape(1, 8, 8, 16, 16, o, 1))).as("%s", o).isFalse();
    }
    ConvShape groups = new ConvShape(1, 8, 8, 16, 16, w, 2);
    assertThat(Winograd.fits(groups)).isFalse();
    assertThatThrownBy(() -> WinogradConvolution.forward(groups))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3x3");
    assertThatThrownBy(() -> new WinogradKernelGradient(groups)).hasMessageContaining("3x3");
    assertThatThrownBy(() -> WinogradConvolution.inputGradient(groups)).hasMessageContaining("3x3");
  }

  private static ConvShape same(int batch, int h, int w, int c, int k) {
    return padded(batch, h, w, c, k, 1, 1, 1, 1);
  }

  private static ConvShape padded(
      int batch, int h, int w, int c, int k, int top, int bottom, int left, int right) {
    WindowShape window = new WindowShape(3, 3, 1, 1, top, bottom, left, right, 1, 1);
    return new ConvShape(batch, h, w, c, k, window, 1);
  }

  /** All three kernels against the definition, in double. */
  private static void check(ConvShape s) {
    ConvDefinition d = new ConvDefinition(s);
    WinogradConvolution forward = WinogradConvolution.forward(s);
    float[] y = run(forward, d.x, d.k, d.y.length);
    assertClose(y, d.y, d.sizeY, "forward " + s);
    WinogradConvolution input = WinogradConvolution.inputGradient(s);
    float[] gx = run(input, d.gy, d.k, d.gx.length);
    assertClose(gx, d.gx, d.sizeGx, "input gradient " + s);

    WinogradKernelGradient kernel = new WinogradKernelGradient(s);
    Area to = new Area(4L * d.k.length);
    Area scratch = new Area(kernel.scratchBytes());
    kernel.run(Area.of(d.x).address, Area.of(d.gy).address, to.address, scratch.address);
    scratch.checkGuards();
    assertClose(to.floats(), d.gk, d.sizeGk, "kernel gradient " + s);
  }

  private static float[] run(WinogradConvolution c, float[] images, float[] kernel, int n) {
    Area to = new Area(4L * n);
    Area scratch = new Area(c.scratchBytes());
    c.run(Area.of(images).address, Area.of(kernel).address, to.address, scratch.address);
    scratch.checkGuards();
    return to.floats();
  }

  /** Within {@link Winograd#ERROR} of the largest sum of absolute terms. */
  private static void assertClose(float[] actual, double[] expected, double[] sizes, String what) {
    double size = Arrays.stream(sizes).max().orElse(0);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) actual[i])
          .as("%s: element %d", what, i)
          .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(Winograd.ERROR * size));
    }
  }
}
