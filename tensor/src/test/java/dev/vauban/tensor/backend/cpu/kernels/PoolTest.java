package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PoolTest {
  @Test
  void theUsualWindows() {
    for (int channels : new int[] {1, 3, 5, 16, 31, 64}) {
      check(new PoolShape(2, 8, 10, channels, WindowShape.square(2, 2, 0)), false);
      check(new PoolShape(2, 7, 7, channels, WindowShape.square(2, 2, 0)), false);
      check(new PoolShape(1, 9, 8, channels, WindowShape.square(3, 2, 1)), false);
      check(new PoolShape(1, 5, 5, channels, WindowShape.square(3, 1, 1)), true);
      check(new PoolShape(1, 7, 5, channels, new WindowShape(7, 5, 1, 1, 0, 0, 0, 0, 1, 1)), false);
    }
    check(new PoolShape(1, 16, 16, 17, WindowShape.square(16, 16, 0)), false);
    check(new PoolShape(0, 4, 4, 3, WindowShape.square(2, 2, 0)), false);
  }

  @Test
  void seededRandomShapes() {
    var random = new SplittableRandom(21);
    int checked = 0;
    while (checked < 150) {
      WindowShape w =
          new WindowShape(
              1 + random.nextInt(4),
              1 + random.nextInt(4),
              1 + random.nextInt(4),
              1 + random.nextInt(4),
              random.nextInt(4),
              random.nextInt(4),
              random.nextInt(4),
              random.nextInt(4),
              1 + random.nextInt(3),
              1 + random.nextInt(3));
      int h = 1 + random.nextInt(12);
      int width = 1 + random.nextInt(12);
      if (w.outputHeight(h) < 1 || w.outputWidth(width) < 1) {
        continue;
      }
      PoolShape s = new PoolShape(1 + random.nextInt(3), h, width, 1 + random.nextInt(40), w);
      check(s, random.nextBoolean());
      checked++;
    }
  }

  @Test
  void theFirstNanWins() {
    float[] x = new float[4 * 33];
    for (int c = 0; c < 33; c++) {
      x[c] = 1;
      x[33 + c] = c % 3 == 0 ? Float.NaN : Float.POSITIVE_INFINITY;
      x[2 * 33 + c] = c % 2 == 0 ? Float.NaN : Float.POSITIVE_INFINITY;
      x[3 * 33 + c] = 7;
    }
    PoolShape s = new PoolShape(1, 2, 2, 33, WindowShape.square(2, 2, 0));
    Area y = new Area(4 * 33);
    Area at = new Area(33);
    new MaxPool(s).run(Area.of(x).address, y.address, at.address, 0);
    for (int c = 0; c < 33; c++) {
      int expected = c % 3 == 0 ? 1 : c % 2 == 0 ? 2 : 1;
      assertThat(at.bytes()[c]).as("channel " + c).isEqualTo((byte) expected);
      assertThat(Float.compare(y.floats()[c], x[expected * 33 + c])).isZero();
    }
  }

  @Test
  void positionsThatAreNoTapTouchNothing() {
    PoolShape s = new PoolShape(1, 4, 4, 21, WindowShape.square(3, 2, 1));
    byte[] bad = new byte[2 * 2 * 21];
    Arrays.fill(bad, (byte) 250);
    Arrays.fill(bad, 0, 21, (byte) 0); // over the padding of the first window
    Area positions = Area.of(bad);
    Area y = new Area(4L * bad.length);
    new PoolGather(s)
        .run(Area.of(Area.random(16 * 21, 1)).address, positions.address, y.address, 0);
    assertThat(y.floats()).containsOnly(0f);
    Area gx = new Area(4 * 16 * 21);
    new PoolScatter(s)
        .run(Area.of(Area.random(bad.length, 2)).address, positions.address, gx.address, 0);
    assertThat(gx.floats()).containsOnly(0f);
  }

  @Test
  void badShapesAreNamed() {
    assertThatThrownBy(() -> new PoolShape(1, 40, 40, 1, WindowShape.square(17, 1, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("256");
    assertThatThrownBy(() -> new PoolShape(1, 2, 2, 1, WindowShape.square(3, 1, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not fit");
  }

  /** All kernels against the definition; {@code coarse} values have many ties. */
  private static void check(PoolShape s, boolean coarse) {
    WindowShape w = s.window();
    int oh = s.outputHeight();
    int ow = s.outputWidth();
    float[] x = Area.random(s.inputSize(), 1);
    float[] v = Area.random(s.inputSize(), 2);
    float[] gy = Area.random((long) s.batch() * oh * ow * s.channels(), 3);
    for (int i = 0; coarse && i < x.length; i++) {
      x[i] = Math.round(2 * x[i]);
    }
    byte[] at = new byte[gy.length];
    double[] y = new double[gy.length];
    double[] gathered = new double[gy.length];
    double[] sum = new double[gy.length];
    double[] scattered = new double[x.length];
    double[] spread = new double[x.length];
    for (int out = 0; out < gy.length; out++) {
      int c = out % s.channels();
      int j = out / s.channels() % ow;
      int i = out / s.channels() / ow % oh;
      int n = out / s.channels() / ow / oh;
      int best = -1;
      for (int th = 0; th < w.height(); th++) {
        for (int tw = 0; tw < w.width(); tw++) {
          int ih = i * w.strideH() + th * w.dilationH() - w.top();
          int iw = j * w.strideW() + tw * w.dilationW() - w.left();
          if (ih < 0 || ih >= s.height() || iw < 0 || iw >= s.width()) {
            continue;
          }
          int in = ((n * s.height() + ih) * s.width() + iw) * s.channels() + c;
          sum[out] += x[in];
          spread[in] += gy[out];
          if (best < 0 || x[in] > x[best]) {
            best = in;
            at[out] = (byte) (th * w.width() + tw);
          }
        }
      }
      if (best >= 0) {
        y[out] = x[best];
        gathered[out] = v[best];
        scattered[best] += gy[out];
      }
    }
    Area ax = Area.of(x);
    Area av = Area.of(v);
    Area agy = Area.of(gy);

    Area positions = new Area(at.length);
    Area to = new Area(4L * y.length);
    new MaxPool(s).run(ax.address, to.address, positions.address, 0);
    assertThat(positions.bytes()).as("max positions %s", s).isEqualTo(at);
    Area.assertClose(to.floats(), y, 1, "max " + s);

    Area again = new Area(at.length);
    new PoolArgMax(s).run(ax.address, again.address, 0);
    assertThat(again.bytes()).as("arg max %s", s).isEqualTo(at);

    to = new Area(4L * y.length);
    new PoolGather(s).run(av.address, positions.address, to.address, 0);
    Area.assertClose(to.floats(), gathered, 1, "gather " + s);

    to = new Area(4L * x.length);
    new PoolScatter(s).run(agy.address, positions.address, to.address, 0);
    Area.assertClose(to.floats(), scattered, w.area(), "scatter " + s);

    to = new Area(4L * y.length);
    new PoolSum(s).run(ax.address, to.address, 0);
    Area.assertClose(to.floats(), sum, w.area(), "sum " + s);

    to = new Area(4L * x.length);
    new PoolSumGradient(s).run(agy.address, to.address, 0);
    Area.assertClose(to.floats(), spread, w.area(), "sum gradient " + s);
  }
}
