package dev.vauban.nn.data;

import java.util.Objects;

/**
 * What to make of a data set. Start from {@link #DEFAULT} and change what matters; an option that a
 * data set has no use for is ignored by it, except that a size it cannot give is refused.
 *
 * @param omniglotSplit which Omniglot split; {@link OmniglotSplit#VINYALS} by default
 * @param rotations whether turned Omniglot characters are classes; none by default
 * @param size side of the square images in pixels, 4 to 1024; 0 for the data set's own size (28 for
 *     Omniglot, MNIST, Fashion-MNIST and glyphs, 32 for CIFAR-FS, 84 for a folder)
 * @param channels colour of images read from a folder; RGB by default
 * @param resampling how images are brought to the size; bilinear by default
 * @param seed seed of shuffled splits (folder, {@link OmniglotSplit#SHUFFLED}); 1234 by default
 * @param glyphs how many glyph classes and images to draw
 */
public record DataOptions(
    OmniglotSplit omniglotSplit,
    Rotations rotations,
    int size,
    Channels channels,
    Resampling resampling,
    long seed,
    GlyphCounts glyphs) {

  /** The defaults named above. */
  public static final DataOptions DEFAULT =
      new DataOptions(
          OmniglotSplit.VINYALS,
          Rotations.NONE,
          0,
          Channels.RGB,
          Resampling.BILINEAR,
          1234,
          GlyphCounts.DEFAULT);

  /** Checks the values. */
  public DataOptions {
    Objects.requireNonNull(omniglotSplit, "omniglotSplit");
    Objects.requireNonNull(rotations, "rotations");
    Objects.requireNonNull(channels, "channels");
    Objects.requireNonNull(resampling, "resampling");
    Objects.requireNonNull(glyphs, "glyphs");
    if (size != 0 && (size < 4 || size > 1024)) {
      throw new DataException("image size is " + size + ", but must be 4 to 1024 pixels");
    }
  }

  /** These options with another Omniglot split. */
  public DataOptions withOmniglotSplit(OmniglotSplit split) {
    return new DataOptions(split, rotations, size, channels, resampling, seed, glyphs);
  }

  /** These options with another use of rotations. */
  public DataOptions withRotations(Rotations turned) {
    return new DataOptions(omniglotSplit, turned, size, channels, resampling, seed, glyphs);
  }

  /** These options with another image side in pixels; 0 for the data set's own. */
  public DataOptions withSize(int side) {
    return new DataOptions(omniglotSplit, rotations, side, channels, resampling, seed, glyphs);
  }

  /** These options with another colour for folders. */
  public DataOptions withChannels(Channels colour) {
    return new DataOptions(omniglotSplit, rotations, size, colour, resampling, seed, glyphs);
  }

  /** These options with another resampling. */
  public DataOptions withResampling(Resampling method) {
    return new DataOptions(omniglotSplit, rotations, size, channels, method, seed, glyphs);
  }

  /** These options with another seed for shuffled splits. */
  public DataOptions withSeed(long splitSeed) {
    return new DataOptions(omniglotSplit, rotations, size, channels, resampling, splitSeed, glyphs);
  }

  /** These options with other glyph counts. */
  public DataOptions withGlyphs(GlyphCounts counts) {
    return new DataOptions(omniglotSplit, rotations, size, channels, resampling, seed, counts);
  }

  int sizeOr(int own) {
    return size == 0 ? own : size;
  }
}
