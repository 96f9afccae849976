package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vauban.tensor.Key;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class GlyphsTest {
  private static final String EXPECTED_HASH =
      "b043e8e18fe8ace41693a8e9b247f8f2a7659a59fd967500087760f81d96eb20";

  private static FewShotData glyphs(long seed, int train, int validation, int test, int images) {
    return DataSets.open(
        "glyphs:" + seed,
        DataOptions.DEFAULT.withGlyphs(new GlyphCounts(train, validation, test, images)));
  }

  /** The same bytes on every machine and in every version, or published results lose their data. */
  @Test
  void theBytesOfASeedAreFixed() {
    try (FewShotData data = glyphs(0, 20, 5, 5, 3)) {
      assertThat(data.all().contentHash()).isEqualTo(EXPECTED_HASH);
    }
  }

  @Test
  void aClassDoesNotDependOnTheCounts() {
    try (FewShotData few = glyphs(3, 2, 1, 4, 2);
        FewShotData many = glyphs(3, 30, 0, 10, 5);
        FewShotData other = glyphs(4, 30, 0, 10, 5)) {
      for (int c = 0; c < 7; c++) {
        for (int i = 0; i < 2; i++) {
          byte[] a = bytes(few.all(), c, i);
          assertThat(bytes(many.all(), c, i)).isEqualTo(a);
          assertThat(bytes(other.all(), c, i)).isNotEqualTo(a);
        }
      }
      assertThat(few.validation().classNames()).containsExactly("glyph2");
      assertThat(few.test().classNames()).containsExactly("glyph3", "glyph4", "glyph5", "glyph6");
    }
  }

  private static byte[] bytes(ImageSet set, int c, int i) {
    return set.image(set.imageOf(c, i)).toArray(ValueLayout.JAVA_BYTE);
  }

  @Test
  void theDefaultIsAsLargeAsOmniglotAndLooksAlike() {
    try (FewShotData data = DataSets.open("glyphs")) {
      assertThat(data.train().classCount()).isEqualTo(1028);
      assertThat(data.validation().classCount()).isEqualTo(172);
      assertThat(data.test().classCount()).isEqualTo(423);
      assertThat(data.all().blockShape().dims()).containsExactly(32_460, 28, 28, 1);
      ImageSet all = data.all();
      double total = 0;
      for (int i = 0; i < all.size(); i++) {
        int brightest = 0;
        int sum = 0;
        for (byte b : all.image(i).toArray(ValueLayout.JAVA_BYTE)) {
          brightest = Math.max(brightest, b & 0xFF);
          sum += b & 0xFF;
        }
        assertThat(brightest).as("image %d is drawn with full ink", i).isGreaterThan(200);
        assertThat(sum).as("image %d is not a blot", i).isLessThan(255 * 784 / 3);
        total += sum;
      }
      // Omniglot's is 0.082.
      assertThat(total / (255.0 * 784 * all.size())).isBetween(0.07, 0.10);
    }
  }

  /**
   * Raw pixels tell five glyphs apart from one example each about as well as five Omniglot
   * characters (49%): not hopeless, and far from solved without learning.
   */
  @Test
  void nearestNeighbourIsAsHardAsOnOmniglot() {
    try (FewShotData data = DataSets.open("glyphs")) {
      EpisodeSampler sampler = new EpisodeSampler(data.test(), 5, 1, 15, Key.of(5));
      int right = 0;
      int episodes = 100;
      for (int e = 0; e < episodes; e++) {
        Episode episode = sampler.episode(e);
        int[] labels = episode.queryLabels();
        for (int q = 0; q < labels.length; q++) {
          right += nearest(data.test(), episode, episode.query()[q]) == labels[q] ? 1 : 0;
        }
      }
      assertThat(right / (75.0 * episodes)).isBetween(0.45, 0.68);
    }
  }

  private static int nearest(ImageSet set, Episode episode, int query) {
    byte[] q = set.image(query).toArray(ValueLayout.JAVA_BYTE);
    int best = 0;
    double most = -1;
    for (int w = 0; w < episode.ways(); w++) {
      byte[] s = set.image(episode.support()[w]).toArray(ValueLayout.JAVA_BYTE);
      double dot = 0;
      double norm = 0;
      for (int p = 0; p < q.length; p++) {
        dot += (q[p] & 0xFF) * (s[p] & 0xFF);
        norm += (s[p] & 0xFF) * (s[p] & 0xFF);
      }
      double cosine = dot / Math.sqrt(norm);
      if (cosine > most) {
        most = cosine;
        best = w;
      }
    }
    return best;
  }

  @Test
  void strokesAreDrawnByDistance() {
    StrokeRaster raster = new StrokeRaster(9);
    raster.clear();
    // A horizontal line through the middle of row 4, one pixel wide.
    raster.stroke(new double[] {2.5, 4.5, 3.5, 4.5, 5.5, 4.5, 6.5, 4.5}, 0.5);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(81, 1);
      raster.write(out);
      byte[] image = out.toArray(ValueLayout.JAVA_BYTE);
      for (int y = 0; y < 9; y++) {
        for (int x = 0; x < 9; x++) {
          int expected = y == 4 && x >= 2 && x <= 6 ? 255 : 0;
          assertThat(image[9 * y + x] & 0xFF).as("row %d column %d", y, x).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void otherSizesAndImpossibleCounts() {
    DataOptions tiny = DataOptions.DEFAULT.withGlyphs(new GlyphCounts(1, 0, 1, 2));
    try (FewShotData data = DataSets.open("glyphs", tiny.withSize(56))) {
      assertThat(data.all().height()).isEqualTo(56);
    }
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("glyphs", tiny.withSize(8)))
        .withMessageContaining("choose at least 12");
    assertThatExceptionOfType(DataException.class).isThrownBy(() -> new GlyphCounts(-1, 0, 1, 2));
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new GlyphCounts(1_000_000, 0, 1, 2))
        .withMessageContaining("at most 1000000");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("glyphs:abc"))
        .withMessageContaining("glyphs:7");
  }
}
