package dev.vauban.tensor.backend.cpu.kernels;

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
      }
      check(new ConvShape(3, 2, 1, channels, 8, WindowShape.square(3, 1, 1), 1));
      check(new ConvShape(1, 5, 4, channels, 64, new WindowShape(3, 3, 1, 1, 0, 3, 4, 1, 1, 1), 1));
      check(new ConvShape(1, 1, 1, channels, 3, new WindowShape(3, 3, 1, 1, 5, 0, 0, 6, 1, 1), 1));
      check(new ConvShape(0, 6, 6, channels, 4, WindowShape.square(3, 1, 1), 1));
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
    WindowShape w = s.window();
    int oh = s.outputHeight();
    int ow = s.outputWidth();
    int cg = s.groupChannels();
    float[] x = Area.random((long) s.batch() * s.height() * s.width() * s.channels(), 1);
    float[] k = Area.random((long) w.area() * cg * s.filters(), 2);
    float[] gy = Area.random((long) s.batch() * oh * ow * s.filters(), 3);
    double[] y = new double[gy.length];
    double[] gx = new double[x.length];
    double[] gk = new double[k.length];
    for (int n = 0; n < s.batch(); n++) {
      for (int i = 0; i < oh; i++) {
        for (int j = 0; j < ow; j++) {
          for (int th = 0; th < w.height(); th++) {
            for (int tw = 0; tw < w.width(); tw++) {
              int ih = i * w.strideH() + th * w.dilationH() - w.top();
              int iw = j * w.strideW() + tw * w.dilationW() - w.left();
              if (ih < 0 || ih >= s.height() || iw < 0 || iw >= s.width()) {
                continue;
              }
              for (int f = 0; f < s.filters(); f++) {
                int out = ((n * oh + i) * ow + j) * s.filters() + f;
                for (int c = 0; c < cg; c++) {
                  int channel = f / s.groupFilters() * cg + c;
                  int in = ((n * s.height() + ih) * s.width() + iw) * s.channels() + channel;
                  int tap = ((th * w.width() + tw) * cg + c) * s.filters() + f;
                  y[out] += (double) x[in] * k[tap];
                  gx[in] += (double) gy[out] * k[tap];
                  gk[tap] += (double) gy[out] * x[in];
                }
              }
            }
          }
        }
      }
    }
    Area ax = Area.of(x);
    Area ak = Area.of(k);
    Area agy = Area.of(gy);

    ConvForward forward = new ConvForward(s);
    Area to = new Area(4L * y.length);
    Area scratch = new Area(forward.scratchBytes());
    forward.run(ax.address, ak.address, to.address, scratch.address);
    scratch.checkGuards();
    Area.assertClose(to.floats(), y, (long) w.area() * cg, "forward " + s);

    ConvInputGradient input = new ConvInputGradient(s);
    to = new Area(4L * x.length);
    scratch = new Area(input.scratchBytes());
    input.run(agy.address, ak.address, to.address, scratch.address);
    scratch.checkGuards();
    Area.assertClose(to.floats(), gx, (long) w.area() * s.groupFilters(), "input gradient " + s);

    ConvKernelGradient kernel = new ConvKernelGradient(s);
    to = new Area(4L * k.length);
    scratch = new Area(kernel.scratchBytes());
    kernel.run(ax.address, agy.address, to.address, scratch.address);
    scratch.checkGuards();
    Area.assertClose(to.floats(), gk, (long) s.batch() * oh * ow, "kernel gradient " + s);
  }
}
