package dev.vauban.adversarial.blackbox;

/** Arithmetic on images and changes of images. */
final class Vectors {
  private Vectors() {}

  static void scale(double[] v, double factor) {
    for (int i = 0; i < v.length; i++) {
      v[i] *= factor;
    }
  }

  /** {@code sum += factor * v}. */
  static void add(double[] sum, double factor, double[] v) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * v[i];
    }
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The image {@code x + factor * v}, each pixel in [0,1]. */
  static float[] moved(float[] x, double factor, double[] v) {
    float[] image = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      image[i] = (float) Math.max(0, Math.min(1, x[i] + factor * v[i]));
    }
    return image;
  }

  /** The change from {@code from} to {@code to}. */
  static double[] change(float[] from, float[] to) {
    double[] v = new double[from.length];
    for (int i = 0; i < v.length; i++) {
      v[i] = (double) to[i] - from[i];
    }
    return v;
  }
}
