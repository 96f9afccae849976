package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ConvTest {
  @Test
  void theUsualLayers() {
    for (int channels : new int[] {1, 3, 16, 32, 64}) {
      for (int stride : new int[] {1, 2}) {
        check(new ConvShape(2, 14, 13, channels, 64, WindowShape.square(3, stride, 1), 1));
      }
    }
    check(new ConvShape(3, 7, 7, 64, 32, WindowShape.square(1, 1, 0), 1));
    check(new ConvShape(3, 7, 7, 64, 33, WindowShape.square(1, 2, 0), 1));
    check(new ConvShape(1, 32, 32, 3, 16, WindowShape.square(5, 1, 2), 1));
    check(new ConvShape(1, 32, 32, 3, 64, WindowShape.square(7, 2, 3), 1));
  }

  @Test
  void oddEverything() {
    check(new ConvShape(1, 1, 1, 1, 1, WindowShape.square(1, 1, 0), 1));
    check(new ConvShape(2, 5, 7, 3, 5, new WindowShape(3, 2, 1, 2, 0, 2, 1, 0, 2, 1), 1));
    check(new ConvShape(1, 9, 11, 13, 17, new WindowShape(2, 3, 3, 2, 1, 2, 3, 0, 1, 3), 1));
    check(new ConvShape(1, 11, 5, 31, 7, new WindowShape(3, 3, 1, 1, 4, 0, 0, 5, 2, 2), 1));
    check(new ConvShape(2, 6, 6, 17, 31, new WindowShape(2, 2, 4, 5, 0, 0, 0, 0, 1, 1), 1));
    check(new ConvShape(0, 6, 6, 3, 4, WindowShape.square(3, 1, 1), 1));
  }

  /** The gradient that attacks end with, over every padding and images smaller than the window. */
  @Test
  void imagesOfFewChannels() {
    for (int channels = 1; channels <= 5; channels++) {
      for (int padding = 0; padding <= 4; padding++) {
        check(new ConvShape(2, 6, 9, channels, 19, WindowShape.square(3, 1, padding), 1));
        check(new ConvShape(2, 6, 9, channels, 48, WindowShape.square(3, 1, padding), 1));
      }
      check(new ConvShape(3, 2, 1, channels, 8, WindowShape.square(3, 1, 1), 1));
      check(new ConvShape(1, 5, 4, channels, 64, new WindowShape(3, 3, 1, 1, 0, 3, 4, 1, 1, 1), 1));
      check(new ConvShape(1, 1, 1, channels, 3, new WindowShape(3, 3, 1, 1, 5, 0, 0, 6, 1, 1), 1));
      check(new ConvShape(3, 3, 5, channels, 16, new WindowShape(3, 3, 1, 1, 2, 0, 0, 4, 1, 1), 1));
      check(new ConvShape(0, 6, 6, channels, 4, WindowShape.square(3, 1, 1), 1));
    }
  }

  /** First layers: strides, blocks of rows, one vector of filters and odd numbers of them. */
  @Test
  void firstLayers() {
    for (int channels = 1; channels <= 4; channels++) {
      for (int stride = 0; stride < 9; stride++) {
        int h = 1 + stride / 3;
        int w = 1 + stride % 3;
        check(
            new ConvShape(2, 9, 8, channels, 48, new WindowShape(3, 3, h, w, 1, 0, 2, 1, 1, 1), 1));
        check(
            new ConvShape(1, 7, 9, channels, 16, new WindowShape(3, 3, h, w, 0, 4, 0, 3, 1, 1), 1));
      }
      check(new ConvShape(2, 13, 70, channels, 64, WindowShape.square(3, 1, 1), 1));
      check(new ConvShape(1, 13, 171, channels, 32, WindowShape.square(3, 2, 1), 1));
      check(new ConvShape(0, 6, 6, channels, 32, WindowShape.square(3, 1, 1), 1));
    }
    check(new ConvShape(1, 3, 3000, 4, 16, WindowShape.square(3, 1, 1), 1)); // a row is a block
  }

  /** What is not finite reaches only the results whose window sees it. */
  @Test
  void notANumberStaysWhereItIsSeen() {
    for (int channels : new int[] {1, 3}) {
      ConvShape s = new ConvShape(2, 9, 8, channels, 32, WindowShape.square(3, 1, 1), 1);
      ConvDefinition d = new ConvDefinition(s);
      d.x[(4 * 8 + 5) * channels] = Float.NaN; // row 4, column 5 of the first image
      d.x[d.x.length - 1] = Float.POSITIVE_INFINITY;
      ConvForward forward = new ConvForward(s);
      Area to = new Area(4L * d.y.length);
      Area scratch = new Area(forward.scratchBytes());
      forward.run(Area.of(d.x).address, Area.of(d.k).address, to.address, scratch.address);
      float[] y = to.floats();
      for (int i = 0; i < y.length; i++) {
        int pixel = i / 32 % 72;
        boolean first = i < y.length / 2;
        boolean nan = first && Math.abs(pixel / 8 - 4) <= 1 && Math.abs(pixel % 8 - 5) <= 1;
        boolean infinite = !first && pixel / 8 >= 7 && pixel % 8 >= 6;
        assertThat(Float.isNaN(y[i])).as("element %d is NaN", i).isEqualTo(nan);
        assertThat(Float.isInfinite(y[i])).as("element %d is infinite", i).isEqualTo(infinite);
      }
    }
  }

  @Test
  void groupsAndDepthwise() {
    check(new ConvShape(2, 8, 9, 6, 9, WindowShape.square(3, 1, 1), 3));
    check(new ConvShape(2, 9, 8, 64, 64, WindowShape.square(3, 2, 1), 2));
    check(new ConvShape(1, 7, 7, 5, 5, WindowShape.square(3, 1, 1), 5));
    check(new ConvShape(1, 7, 7, 34, 34, new WindowShape(3, 3, 2, 1, 1, 0, 1, 1, 1, 2), 17));
    check(new ConvShape(1, 5, 5, 8, 40, WindowShape.square(1, 1, 0), 2));
  }

  @Test
  void seededRandomShapes() {
    var random = new SplittableRandom(9);
    int checked = 0;
    while (checked < 120) {
      WindowShape w =
          new WindowShape(
              1 + random.nextInt(4),
              1 + random.nextInt(4),
              1 + random.nextInt(3),
              1 + random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              random.nextInt(3),
              1 + random.nextInt(3),
              1 + random.nextInt(3));
      int groups = 1 + random.nextInt(3);
      int h = 1 + random.nextInt(15);
      int wd = 1 + random.nextInt(15);
      if (w.outputHeight(h) < 1 || w.outputWidth(wd) < 1) {
        continue;
      }
      int c = groups * (1 + random.nextInt(20));
      int k = groups * (1 + random.nextInt(40));
      check(new ConvShape(1 + random.nextInt(3), h, wd, c, k, w, groups));
      checked++;
    }
  }

  @Test
  void badShapesAreNamed() {
    WindowShape w = WindowShape.square(3, 1, 0);
    assertThatThrownBy(() -> new ConvShape(1, 2, 8, 4, 4, w, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not fit");
    assertThatThrownBy(() -> new ConvShape(1, 8, 8, 4, 6, w, 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 groups");
    assertThatThrownBy(() -> new WindowShape(3, 3, 0, 1, 0, 0, 0, 0, 1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("stride 0x1");
  }

  /** All three kernels against the definition, in double. */
  private static void check(ConvShape s) {
    ConvDefinition d = new ConvDefinition(s);
    ConvForward forward = new ConvForward(s);
    Area to = new Area(4L * d.y.length);
    Area scratch = new Area(forward.scratchBytes());
    forward.run(Area.of(d.x).address, Area.of(d.k).address, to.address, scratch.address);
    scratch.checkGuards();
    long area = s.window().area();
    Area.assertClose(to.floats(), d.y, area * s.groupChannels(), "forward " + s);

    ConvInputGradient input = new ConvInputGradient(s);
    to = new Area(4L * d.x.length);
    scratch = new Area(input.scratchBytes());
    input.run(Area.of(d.gy).address, Area.of(d.k).address, to.address, scratch.address);
    scratch.checkGuards();
    Area.assertClose(to.floats(), d.gx, area * s.groupFilters(), "input gradient " + s);

    ConvKernelGradient kernel = new ConvKernelGradient(s);
    to = new Area(4L * d.k.length);
    scratch = new Area(kernel.scratchBytes());
    kernel.run(Area.of(d.x).address, Area.of(d.gy).address, to.address, scratch.address);
    scratch.checkGuards();
    long pixels = (long) s.batch() * s.outputHeight() * s.outputWidth();
    Area.assertClose(to.floats(), d.gk, pixels, "kernel gradient " + s);
  }
}
