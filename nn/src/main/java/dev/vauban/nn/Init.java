package dev.vauban.nn;

import dev.vauban.tensor.Key;

/**
 * How a weight starts. The fans are the numbers of inputs and outputs that one weight connects: for
 * a kernel [H,W,I,O] they are H*W*I and H*W*O.
 */
public enum Init {
  /** All 0. */
  ZEROS,
  /** All 1. */
  ONES,
  /**
   * Normal with variance 2 / fan in: keeps the variance through ReLU layers (He et al. 2015,
   * "Delving deep into rectifiers", eq. 10).
   */
  KAIMING_NORMAL,
  /** Uniform with variance 2 / fan in. */
  KAIMING_UNIFORM,
  /** Normal with variance 2 / (fan in + fan out) (Glorot and Bengio 2010, eq. 12). */
  XAVIER_NORMAL,
  /** Uniform with variance 2 / (fan in + fan out) (Glorot and Bengio 2010, eq. 16). */
  XAVIER_UNIFORM,
  /** Uniform in ±1 / sqrt(fan in): what PyTorch's linear, convolution and recurrent layers do. */
  FAN_IN_UNIFORM;

  /**
   * Element {@code i} of a weight.
   *
   * @param key the weight's own key
   */
  double value(Key key, long i, int fanIn, int fanOut) {
    return switch (this) {
      case ZEROS -> 0;
      case ONES -> 1;
      case KAIMING_NORMAL -> key.normal(i) * Math.sqrt(2.0 / fanIn);
      case KAIMING_UNIFORM -> uniform(key, i, Math.sqrt(6.0 / fanIn));
      case XAVIER_NORMAL -> key.normal(i) * Math.sqrt(2.0 / (fanIn + fanOut));
      case XAVIER_UNIFORM -> uniform(key, i, Math.sqrt(6.0 / (fanIn + fanOut)));
      case FAN_IN_UNIFORM -> uniform(key, i, 1 / Math.sqrt(fanIn));
    };
  }

  private static double uniform(Key key, long i, double bound) {
    return (2 * key.uniform(i) - 1) * bound;
  }
}
