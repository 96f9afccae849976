package dev.vauban.natives.onednn;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** The definitions, in double, in straight loops: what every primitive is compared with. */
final class Loops {
  private Loops() {}

  static double[] random(long seed, long size) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    return random.doubles(size, -1, 1).toArray();
  }

  /** Calls {@code visit} with the flat indices of every (x, w, y) that are multiplied and added. */
  static void convolution(ConvSpec s, Triple visit) {
    int ig = s.inputs() / s.groups();
    int og = s.outputs() / s.groups();
    for (int n = 0; n < s.batch(); n++) {
      for (int p = 0; p < s.outHeight(); p++) {
        for (int q = 0; q < s.outWidth(); q++) {
          for (int r = 0; r < s.kernelHeight(); r++) {
            for (int t = 0; t < s.kernelWidth(); t++) {
              int h = p * s.strideH() - s.padTop() + r * s.dilationH();
              int w = q * s.strideW() - s.padLeft() + t * s.dilationW();
              if (h < 0 || h >= s.height() || w < 0 || w >= s.width()) {
                continue;
              }
              for (int i = 0; i < ig; i++) {
                for (int o = 0; o < s.outputs(); o++) {
                  int channel = o / og * ig + i;
                  visit.at(
                      ((n * s.height() + h) * s.width() + w) * s.inputs() + channel,
                      ((r * s.kernelWidth() + t) * ig + i) * s.outputs() + o,
                      ((n * s.outHeight() + p) * s.outWidth() + q) * s.outputs() + o);
                }
              }
            }
          }
        }
      }
    }
  }

  @FunctionalInterface
  interface Triple {
    void at(int x, int w, int y);
  }

  static double[] forward(ConvSpec s, double[] x, double[] w) {
    double[] y = new double[(int) s.ySize()];
    convolution(s, (i, j, k) -> y[k] += x[i] * w[j]);
    return y;
  }

  static double[] backwardData(ConvSpec s, double[] dy, double[] w) {
    double[] dx = new double[(int) s.xSize()];
    convolution(s, (i, j, k) -> dx[i] += dy[k] * w[j]);
    return dx;
  }

  static double[] backwardWeights(ConvSpec s, double[] x, double[] dy) {
    double[] dw = new double[(int) s.wSize()];
    convolution(s, (i, j, k) -> dw[j] += x[i] * dy[k]);
    return dw;
  }

  static double[] matmul(MatmulSpec s, double[] a, double[] b, int size) {
    double[] c = new double[size];
    for (int i = 0; i < s.batch(); i++) {
      for (int m = 0; m < s.rows(); m++) {
        for (int n = 0; n < s.columns(); n++) {
          double sum = 0;
          for (int k = 0; k < s.inner(); k++) {
            sum += a[index(s.a(), i, m, k)] * b[index(s.b(), i, k, n)];
          }
          c[index(s.c(), i, m, n)] = sum;
        }
      }
    }
    return c;
  }

  static int index(MatmulSpec.Layout l, int i, int row, int column) {
    return (int) (i * l.batchStride() + row * l.rowStride() + column * l.columnStride());
  }
}
