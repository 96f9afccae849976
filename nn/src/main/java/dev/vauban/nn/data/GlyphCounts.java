package dev.vauban.nn.data;

/**
 * How much of the unlimited glyph alphabet to draw. Class {@code k} of a seed is the same whatever
 * the counts; training classes come first, then validation, then test.
 *
 * @param train number of training classes
 * @param validation number of validation classes
 * @param test number of test classes
 * @param images number of images of each class
 */
public record GlyphCounts(int train, int validation, int test, int images) {
  /** As many as in Omniglot: 1028 + 172 + 423 classes of 20 images. */
  public static final GlyphCounts DEFAULT = new GlyphCounts(1028, 172, 423, 20);

  private static final int MOST = 1_000_000;

  /** Checks the counts: none negative, at least one image, a million images at most. */
  public GlyphCounts {
    if (train < 0 || validation < 0 || test < 0 || images < 1) {
      throw new DataException(
          "glyph counts are "
              + train
              + "/"
              + validation
              + "/"
              + test
              + " classes of "
              + images
              + " images, but none may be negative and a class needs an image");
    }
    if (((long) train + validation + test) * images > MOST) {
      throw new DataException("at most " + MOST + " glyph images can be drawn at once");
    }
  }

  int classes() {
    return train + validation + test;
  }
}
