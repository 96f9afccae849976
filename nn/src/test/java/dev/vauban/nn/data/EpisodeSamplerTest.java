package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import dev.vauban.tensor.Key;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EpisodeSamplerTest {
  private static final FewShotData DATA =
      DataSets.open("glyphs:1", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(12, 0, 9, 7)));

  @AfterAll
  static void close() {
    DATA.close();
  }

  @ParameterizedTest
  @CsvSource({"5,1,6", "9,3,4", "1,7,0", "2,1,1", "9,6,1"})
  void anEpisodeHasDistinctImagesOfDistinctClasses(int ways, int shots, int queries) {
    ImageSet set = DATA.test();
    int[] label = set.labels();
    EpisodeSampler sampler = new EpisodeSampler(set, ways, shots, queries, Key.of(4));
    for (int e = 0; e < 200; e++) {
      Episode episode = sampler.episode(e);
      assertThat(episode.support()).hasSize(ways * shots);
      assertThat(episode.query()).hasSize(ways * queries);
      Set<Integer> seen = new HashSet<>();
      for (int i = 0; i < ways * shots; i++) {
        assertThat(seen.add(episode.support()[i])).isTrue();
        assertThat(label[episode.support()[i]])
            .isEqualTo(episode.classes()[episode.supportLabels()[i]]);
      }
      for (int i = 0; i < ways * queries; i++) {
        assertThat(seen.add(episode.query()[i])).isTrue();
        assertThat(label[episode.query()[i]])
            .isEqualTo(episode.classes()[episode.queryLabels()[i]]);
      }
      assertThat(Arrays.stream(episode.classes()).distinct()).hasSize(ways);
    }
  }

  @Test
  void labelsAreClassByClass() {
    Episode episode = new EpisodeSampler(DATA.train(), 3, 1, 2, Key.of(0)).episode(0);
    assertThat(episode.supportLabels()).containsExactly(0, 1, 2);
    assertThat(episode.queryLabels()).containsExactly(0, 0, 1, 1, 2, 2);
  }

  @Test
  void anEpisodeDependsOnKeyAndNumberOnly() {
    EpisodeSampler a = new EpisodeSampler(DATA.train(), 5, 1, 6, Key.of(4));
    EpisodeSampler b = new EpisodeSampler(DATA.train(), 5, 1, 6, Key.of(4));
    EpisodeSampler other = new EpisodeSampler(DATA.train(), 5, 1, 6, Key.of(5));
    Episode late = a.episode(1L << 40);
    for (int e = 0; e < 100; e++) {
      assertThat(a.episode(e).query()).isEqualTo(b.episode(e).query());
      assertThat(a.episode(e).support()).isEqualTo(b.episode(e).support());
    }
    assertThat(b.episode(1L << 40).query()).isEqualTo(late.query());
    assertThat(other.episode(0).query()).isNotEqualTo(a.episode(0).query());
    assertThat(a.episode(1).query()).isNotEqualTo(a.episode(0).query());
  }

  /** Changing this changes every published evaluation list. */
  @Test
  void episodesStayTheSameAcrossVersions() {
    Episode e = new EpisodeSampler(DATA.test(), 3, 1, 1, Key.of(1)).episode(0);
    assertThat(e.classes()).containsExactly(4, 8, 6);
    assertThat(e.support()).containsExactly(117, 141, 128);
    assertThat(e.query()).containsExactly(114, 143, 130);
  }

  /** Chi-square over ordered pairs of classes and of (support, query) images; 5 sigma bounds. */
  @Test
  void everyOrderedChoiceIsEquallyLikely() {
    EpisodeSampler sampler = new EpisodeSampler(DATA.test(), 2, 1, 1, Key.of(8));
    int n = 40_000;
    int[] pairs = new int[81];
    int[] images = new int[49];
    for (int e = 0; e < n; e++) {
      Episode episode = sampler.episode(e);
      pairs[episode.classes()[0] * 9 + episode.classes()[1]]++;
      int first = DATA.test().imageOf(episode.classes()[0], 0);
      images[(episode.support()[0] - first) * 7 + episode.query()[0] - first]++;
    }
    assertThat(chiSquare(pairs, n, 72)).isBetween(71 - 5 * 12.0, 71 + 5 * 12.0);
    assertThat(chiSquare(images, n, 42)).isBetween(0.0, 41 + 5 * 9.1);
  }

  private static double chiSquare(int[] counts, int n, int cells) {
    int used = (int) Arrays.stream(counts).filter(c -> c > 0).count();
    assertThat(used).isEqualTo(cells);
    double expected = (double) n / cells;
    return Arrays.stream(counts)
        .filter(c -> c > 0)
        .mapToDouble(c -> (c - expected) * (c - expected) / expected)
        .sum();
  }

  @Test
  void fillWritesTheSameEpisodes() {
    EpisodeSampler sampler = new EpisodeSampler(DATA.train(), 5, 2, 3, Key.of(4));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment support = arena.allocate(4L * 6 * 10, 64);
      MemorySegment query = arena.allocate(4L * 6 * 15, 64);
      sampler.fill(100, 6, support, query);
      for (int t = 0; t < 6; t++) {
        Episode episode = sampler.episode(100 + t);
        assertThat(row(support, t, 10)).isEqualTo(episode.support());
        assertThat(row(query, t, 15)).isEqualTo(episode.query());
      }
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> sampler.fill(0, 7, support, query));
    }
  }

  private static int[] row(MemorySegment segment, int row, int length) {
    return IntStream.range(row * length, (row + 1) * length)
        .map(i -> segment.getAtIndex(ValueLayout.JAVA_INT, i))
        .toArray();
  }

  /** Images without labels: of the set alone, all alike in likelihood, another list per episode. */
  @Test
  void fillUnlabeledDrawsFromTheWholeSet() {
    try (Arena arena = Arena.ofConfined()) {
      EpisodeSampler sampler = new EpisodeSampler(DATA.train(), 5, 2, 3, Key.of(4));
      ImageSet set = sampler.set();
      int each = 400;
      MemorySegment out = arena.allocate(4L * 3 * each, 4);
      sampler.fillUnlabeled(50, 3, each, out);
      int[] seen = out.toArray(ValueLayout.JAVA_INT);
      int[] labels = set.labels();
      assertThat(Arrays.stream(seen).allMatch(i -> labels[i] >= 0)).isTrue();
      assertThat(Arrays.stream(seen).distinct().count()).isGreaterThan(set.size() / 2);
      long[] perClass = new long[set.classCount()];
      Arrays.stream(seen).forEach(i -> perClass[labels[i]]++);
      for (int c = 0; c < perClass.length; c++) {
        double expected = 1200.0 * set.imageCount(c) / set.size();
        assertThat((double) perClass[c]).isCloseTo(expected, within(5 * Math.sqrt(expected)));
      }
      MemorySegment one = arena.allocate(4L * each, 4);
      sampler.fillUnlabeled(51, 1, each, one);
      assertThat(one.toArray(ValueLayout.JAVA_INT))
          .isEqualTo(Arrays.copyOfRange(seen, each, 2 * each));
      assertThat(Arrays.copyOf(seen, each)).isNotEqualTo(Arrays.copyOfRange(seen, each, 2 * each));
    }
  }

  @Test
  void fillAllocatesNothing() {
    EpisodeSampler sampler = new EpisodeSampler(DATA.train(), 5, 1, 6, Key.of(4));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment support = arena.allocate(4L * 4 * 5, 64);
      MemorySegment query = arena.allocate(4L * 4 * 30, 64);
      for (int i = 0; i < 5_000; i++) {
        sampler.fill(i, 4, support, query);
      }
      long id = Thread.currentThread().threadId();
      long before = threads.getThreadAllocatedBytes(id);
      for (int i = 0; i < 5_000; i++) {
        sampler.fill(i, 4, support, query);
      }
      // The measurement itself may allocate a little; one object per fill would be 80,000 bytes.
      assertThat(threads.getThreadAllocatedBytes(id) - before).isLessThan(10_000);
    }
  }

  @Test
  void moreThanThereIsIsRefused() {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new EpisodeSampler(DATA.test(), 10, 1, 1, Key.of(0)))
        .withMessage("10 ways were asked for, but this set of glyphs has only 9 classes");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new EpisodeSampler(DATA.test(), 5, 1, 15, Key.of(0)))
        .withMessage(
            "1 shots and 15 queries need 16 images of a class, but class 'glyph12' of glyphs has"
                + " only 7");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new EpisodeSampler(DATA.test(), 5, Integer.MAX_VALUE, 1, Key.of(0)));
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new EpisodeSampler(DATA.test(), 0, 1, 1, Key.of(0)));
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> new EpisodeSampler(DATA.test(), 5, 1, -1, Key.of(0)));
  }
}
