package dev.vauban.nn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Brings images of one size to another, rows first and then columns, and rounds once at the end.
 * The weights of each output pixel sum to 1 and are computed once.
 */
final class Resampler {
  private final int inHeight;
  private final int inWidth;
  private final int outHeight;
  private final int outWidth;
  private final Taps rows;
  private final Taps columns;

  Resampler(int inHeight, int inWidth, int outHeight, int outWidth, Resampling method) {
    this.inHeight = inHeight;
    this.inWidth = inWidth;
    this.outHeight = outHeight;
    this.outWidth = outWidth;
    this.rows = Taps.of(inHeight, outHeight, method);
    this.columns = Taps.of(inWidth, outWidth, method);
  }

  boolean takes(Pixels image) {
    return image.height() == inHeight && image.width() == inWidth;
  }

  /**
   * Writes the resampled image as u8 [outHeight, outWidth, channels] to the start of {@code out}.
   */
  void write(Pixels image, MemorySegment out) {
    int channels = image.channels();
    float[] v = image.values();
    if (inHeight != outHeight || inWidth != outWidth) {
      v = down(across(v, channels), channels);
    }
    for (int i = 0; i < v.length; i++) {
      int level = (int) (v[i] + 0.5f);
      out.set(ValueLayout.JAVA_BYTE, i, (byte) Math.min(255, Math.max(0, level)));
    }
  }

  private float[] across(float[] in, int channels) {
    float[] out = new float[inHeight * outWidth * channels];
    for (int y = 0; y < inHeight; y++) {
      for (int x = 0; x < outWidth; x++) {
        int first = columns.first[x];
        float[] weights = columns.weights[x];
        for (int c = 0; c < channels; c++) {
          float sum = 0;
          int at = (y * inWidth + first) * channels + c;
          for (float weight : weights) {
            sum += weight * in[at];
            at += channels;
          }
          out[(y * outWidth + x) * channels + c] = sum;
        }
      }
    }
    return out;
  }

  private float[] down(float[] in, int channels) {
    int row = outWidth * channels;
    float[] out = new float[outHeight * row];
    for (int y = 0; y < outHeight; y++) {
      float[] weights = rows.weights[y];
      for (int k = 0; k < weights.length; k++) {
        int from = (rows.first[y] + k) * row;
        for (int i = 0; i < row; i++) {
          out[y * row + i] += weights[k] * in[from + i];
        }
      }
    }
    return out;
  }

  /** For each output position, the first source position and the weights from there on. */
  private record Taps(int[] first, float[][] weights) {

    static Taps of(int in, int out, Resampling method) {
      double scale = (double) in / out;
      int[] first = new int[out];
      float[][] weights = new float[out][];
      for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        double reach = method == Resampling.AREA ? scale / 2 : Math.max(scale, 1);
        int from = Math.max(0, (int) Math.floor(centre - reach));
        int to = Math.min(in, (int) Math.ceil(centre + reach));
        double[] w = new double[to - from];
        double sum = 0;
        for (int k = 0; k < w.length; k++) {
          w[k] = weight(method, from + k, centre, reach);
          sum += w[k];
        }
        first[i] = from;
        weights[i] = new float[w.length];
        for (int k = 0; k < w.length; k++) {
          weights[i][k] = (float) (w[k] / sum);
        }
      }
      return new Taps(first, weights);
    }

    private static double weight(Resampling method, int source, double centre, double reach) {
      return switch (method) {
        case BILINEAR -> Math.max(0, 1 - Math.abs(source + 0.5 - centre) / reach);
        case AREA ->
            Math.max(0, Math.min(source + 1, centre + reach) - Math.max(source, centre - reach));
      };
    }
  }
}
