package dev.vauban.tensor;

/** The error function in double precision. */
final class Erf {
  private Erf() {}

  /**
   * erf(x): the Maclaurin series below 2, the continued fraction of erfc above (Abramowitz and
   * Stegun 7.1.5 and 7.1.14); relative error below 1e-14.
   */
  static double erf(double x) {
    double a = Math.abs(x);
    if (Double.isNaN(x) || x == 0) {
      return x;
    }
    double y = a < 2.5 ? series(a) : a > 6 ? 1 : 1 - complement(a);
    return x < 0 ? -y : y;
  }

  private static double series(double x) {
    // erf(x) = 2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!: all terms positive.
    double term = x;
    double sum = x;
    for (int n = 1; term > sum * 1e-17; n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  private static double complement(double x) {
    double f = x;
    for (int n = 60; n >= 1; n--) {
      f = x + n / 2.0 / f;
    }
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / f;
  }
}
