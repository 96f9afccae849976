package dev.vauban.tensor.backend.cpu.kernels;

/**
 * A convolution of random operands by its definition, in double: what the kernels of one shape must
 * compute. Beside each result lies the same sum over absolute values, by which rounding errors are
 * judged.
 */
final class ConvDefinition {
  final float[] x;
  final float[] k;
  final float[] gy;

  /** The result, its gradient's product with the kernel, and with the images. */
  final double[] y;

  final double[] gx;
  final double[] gk;

  /** The same with all operands replaced by their absolute values. */
  final double[] sizeY;

  final double[] sizeGx;
  final double[] sizeGk;

  ConvDefinition(ConvShape s) {
    WindowShape w = s.window();
    int oh = s.outputHeight();
    int ow = s.outputWidth();
    int cg = s.groupChannels();
    x = Area.random((long) s.batch() * s.height() * s.width() * s.channels(), 1);
    k = Area.random((long) w.area() * cg * s.filters(), 2);
    gy = Area.random((long) s.batch() * oh * ow * s.filters(), 3);
    y = new double[gy.length];
    gx = new double[x.length];
    gk = new double[k.length];
    sizeY = new double[gy.length];
    sizeGx = new double[x.length];
    sizeGk = new double[k.length];
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
                  add(y, sizeY, out, (double) x[in] * k[tap]);
                  add(gx, sizeGx, in, (double) gy[out] * k[tap]);
                  add(gk, sizeGk, tap, (double) gy[out] * x[in]);
                }
              }
            }
          }
        }
      }
    }
  }

  private static void add(double[] sum, double[] size, int at, double term) {
    sum[at] += term;
    size[at] += Math.abs(term);
  }
}
