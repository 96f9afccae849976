package dev.vauban.nn.data;

import dev.vauban.tensor.Key;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The built-in data set: made-up characters in the manner of Omniglot, drawn on the spot. Class
 * {@code k} of a seed is a {@link Glyph}, image {@code i} of it that glyph drawn by a fresh {@link
 * Hand}; both depend on (seed, k, i) alone and are the same bytes on every machine.
 */
final class Glyphs {
  private static final String NAME = "glyphs";
  private static final int SIZE = 28;
  private static final int SMALLEST = 12;

  private Glyphs() {}

  static FewShotData open(long seed, DataOptions options) {
    GlyphCounts counts = options.glyphs();
    int size = options.sizeOr(SIZE);
    if (size < SMALLEST) {
      throw new DataException(
          "glyphs of " + size + " pixels cannot be told apart; choose at least " + SMALLEST);
    }
    if (counts.classes() == 0) {
      throw new DataException("no glyph classes were asked for");
    }
    ImageBlock block = new ImageBlock(NAME, counts.classes() * counts.images(), size, size, 1);
    try {
      draw(Key.of(seed), counts, size, block);
    } catch (RuntimeException e) {
      block.close();
      throw e;
    }
    List<String> names = new ArrayList<>();
    int[][] lists = new int[counts.classes()][];
    for (int c = 0; c < lists.length; c++) {
      names.add("glyph" + c);
      lists[c] = IntStream.range(c * counts.images(), (c + 1) * counts.images()).toArray();
    }
    ImageSet all = new ImageSet(block, names, lists);
    int validation = counts.train();
    int test = validation + counts.validation();
    return new FewShotData(
        NAME,
        describe(seed, counts, size),
        SplitKind.BY_CLASS,
        all,
        all.select(IntStream.range(0, validation).toArray()),
        all.select(IntStream.range(validation, test).toArray()),
        all.select(IntStream.range(test, lists.length).toArray()));
  }

  private static void draw(Key key, GlyphCounts counts, int size, ImageBlock block) {
    IntStream.range(0, counts.classes())
        .parallel()
        .forEach(c -> {
          Key classKey = key.fold(c);
          Glyph glyph = Glyph.of(classKey.fold(-1));
          StrokeRaster raster = new StrokeRaster(size);
          for (int i = 0; i < counts.images(); i++) {
            new Hand(classKey.fold(i), size).draw(glyph, raster);
            raster.write(block.image(c * counts.images() + i));
          }
        });
  }

  private static String describe(long seed, GlyphCounts counts, int size) {
    return "Drawn glyphs of seed "
        + seed
        + ", "
        + size
        + "x"
        + size
        + ", ink 1 on paper 0; "
        + counts.train()
        + " train, "
        + counts.validation()
        + " validation and "
        + counts.test()
        + " test classes of "
        + counts.images()
        + " images.";
  }
}
