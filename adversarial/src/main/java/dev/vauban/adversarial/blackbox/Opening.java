package dev.vauban.adversarial.blackbox;

/**
 * How far an image's attack has come before its program begins.
 *
 * @param asked queries that its guide has spent
 * @param start where to begin, an image within the threat; null for where the program likes
 * @param margin of the start, already asked
 */
record Opening(int asked, float[] start, double margin) {
  /** From nothing. */
  static final Opening NONE = new Opening(0, null, Double.NaN);

  /** After one more candidate: the better of both is where to begin. */
  Opening after(float[] candidate, double itsMargin) {
    return start == null || itsMargin < margin
        ? new Opening(asked + 1, candidate, itsMargin)
        : new Opening(asked + 1, start, margin);
  }
}
