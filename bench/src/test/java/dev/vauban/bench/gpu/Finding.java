package dev.vauban.bench.gpu;

/**
 * One thing that was compared with the reference.
 *
 * @param group what kind of thing
 * @param name which
 * @param error how far off it was; NaN if it did not run
 * @param tolerance how far off it may be
 * @param failure what went wrong, in a sentence; empty if it ran
 */
record Finding(String group, String name, double error, double tolerance, String failure) {
  static Finding of(String group, String name, double error, double tolerance) {
    return new Finding(group, name, error, tolerance, "");
  }

  static Finding failed(String group, String name, double tolerance, Throwable why) {
    String sentence = why.getMessage() == null ? why.toString() : why.getMessage();
    return new Finding(group, name, Double.NaN, tolerance, sentence);
  }

  boolean passed() {
    return failure.isEmpty() && error <= tolerance;
  }
}
