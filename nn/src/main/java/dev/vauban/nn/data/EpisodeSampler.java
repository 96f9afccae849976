package dev.vauban.nn.data;

import dev.vauban.tensor.Key;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Draws few-shot episodes from a set. Episode {@code i} is a pure function of the key and {@code
 * i}, so an evaluation list is just a range of numbers, and training resumes anywhere with the same
 * episodes. Classes are drawn without replacement and in random order (which makes labels random),
 * then images of each class without replacement. Safe for several threads.
 */
public final class EpisodeSampler {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

  private final ImageSet set;
  private final int ways;
  private final int shots;
  private final int queries;
  private final Key key;

  /**
   * A sampler of {@code ways}-way {@code shots}-shot episodes.
   *
   * @param set where classes and images come from
   * @param ways classes of an episode, at least 1
   * @param shots support images of each class, at least 1
   * @param queries query images of each class, at least 0
   * @param key source of all randomness
   * @throws DataException if the set has fewer classes than {@code ways}, or a class fewer images
   *     than {@code shots + queries}
   */
  public EpisodeSampler(ImageSet set, int ways, int shots, int queries, Key key) {
    if (ways < 1 || shots < 1 || queries < 0) {
      throw new DataException(
          "an episode needs at least 1 way and 1 shot and no negative number of queries, not "
              + ways
              + " ways, "
              + shots
              + " shots and "
              + queries
              + " queries");
    }
    if (ways > set.classCount()) {
      throw new DataException(
          ways
              + " ways were asked for, but this set of "
              + set.name()
              + " has only "
              + set.classCount()
              + " classes");
    }
    for (int c = 0; c < set.classCount(); c++) {
      if ((long) shots + queries > set.imageCount(c)) {
        throw new DataException(
            shots
                + " shots and "
                + queries
                + " queries need "
                + ((long) shots + queries)
                + " images of a class, but class '"
                + set.classNames().get(c)
                + "' of "
                + set.name()
                + " has only "
                + set.imageCount(c));
      }
    }
    this.set = set;
    this.ways = ways;
    this.shots = shots;
    this.queries = queries;
    this.key = key;
  }

  /** The set that episodes are drawn from. */
  public ImageSet set() {
    return set;
  }

  /** Classes of an episode. */
  public int ways() {
    return ways;
  }

  /** Support images of each class. */
  public int shots() {
    return shots;
  }

  /** Query images of each class. */
  public int queries() {
    return queries;
  }

  /**
   * Episode {@code index}: any number, negative ones too.
   *
   * @throws dev.vauban.tensor.ClosedException if the set was closed
   */
  public Episode episode(long index) {
    int[] classes = new int[ways];
    int[] support = new int[ways * shots];
    int[] query = new int[ways * queries];
    try (Arena arena = Arena.ofConfined()) {
      // One int spare, since queries may be 0.
      MemorySegment s = arena.allocate(4L * support.length + 4, 4);
      MemorySegment q = arena.allocate(4L * query.length + 4, 4);
      drawClasses(index, s, 0);
      for (int w = 0; w < ways; w++) {
        classes[w] = s.get(INT, 4L * w * shots);
      }
      draw(index, s, 0, q, 0);
      MemorySegment.copy(s, INT, 0, support, 0, support.length);
      MemorySegment.copy(q, INT, 0, query, 0, query.length);
    }
    return new Episode(ways, shots, queries, classes, support, query);
  }

  /**
   * Writes the episodes {@code firstIndex} to {@code firstIndex + tasks - 1}. Allocates nothing.
   *
   * @param firstIndex number of the first episode
   * @param tasks how many
   * @param support receives i32 [tasks, ways * shots], native memory
   * @param query receives i32 [tasks, ways * queries], native memory
   * @throws IndexOutOfBoundsException if a segment is too small
   * @throws dev.vauban.tensor.ClosedException if the set was closed
   */
  public void fill(long firstIndex, int tasks, MemorySegment support, MemorySegment query) {
    for (int t = 0; t < tasks; t++) {
      draw(firstIndex + t, support, 4L * t * ways * shots, query, 4L * t * ways * queries);
    }
  }

  /**
   * Writes further images for the episodes {@code firstIndex} and following, drawn with replacement
   * from all images of the set, whatever their class: data without labels. Allocates nothing.
   *
   * @param firstIndex number of the first episode
   * @param tasks how many episodes
   * @param each images of each episode
   * @param out receives i32 [tasks, each], native memory
   * @throws IndexOutOfBoundsException if the segment is too small
   * @throws dev.vauban.tensor.ClosedException if the set was closed
   */
  public void fillUnlabeled(long firstIndex, int tasks, int each, MemorySegment out) {
    set.check();
    for (int t = 0; t < tasks; t++) {
      long stream = stream(firstIndex + t, -2);
      for (int i = 0; i < each; i++) {
        out.set(INT, 4L * (t * each + i), anyImage(random(stream, i, set.size())));
      }
    }
  }

  /** Image number {@code i} of the set, its classes counted through. */
  private int anyImage(int i) {
    int left = i;
    for (int c = 0; ; c++) {
      if (left < set.imageCount(c)) {
        return set.imageOf(c, left);
      }
      left -= set.imageCount(c);
    }
  }

  private void draw(
      long index, MemorySegment support, long supportAt, MemorySegment query, long queryAt) {
    set.check(); // indices into images that are gone are of no use to anyone
    drawClasses(index, support, supportAt);
    for (int w = 0; w < ways; w++) {
      long s = supportAt + 4L * w * shots;
      drawImages(index, w, support.get(INT, s), support, s, query, queryAt + 4L * w * queries);
    }
  }

  /*
   * Random permutations of random samples by Floyd's method (Bentley and Floyd 1987, "A sample of
   * brilliance", algorithm P, mirrored): for j = n-k .. n-1 draw t in 0..j; if t is new append it,
   * else insert j just before t. No scratch memory and exactly k draws. The class of label w waits
   * in the first support place of that label until its images overwrite it.
   */
  private void drawClasses(long index, MemorySegment out, long at) {
    int n = set.classCount();
    long stream = stream(index, -1);
    long stride = 4L * shots;
    for (int filled = 0; filled < ways; filled++) {
      int j = n - ways + filled;
      int t = random(stream, filled, j + 1);
      int place = 0;
      while (place < filled && out.get(INT, at + place * stride) != t) {
        place++;
      }
      for (int p = filled; p > place; p--) {
        out.set(INT, at + p * stride, out.get(INT, at + (p - 1) * stride));
      }
      out.set(INT, at + place * stride, place < filled ? j : t);
    }
  }

  private void drawImages(
      long index,
      int label,
      int classIndex,
      MemorySegment support,
      long supportAt,
      MemorySegment query,
      long queryAt) {
    int n = set.imageCount(classIndex);
    int wanted = shots + queries;
    long stream = stream(index, label);
    for (int filled = 0; filled < wanted; filled++) {
      int j = n - wanted + filled;
      int t = random(stream, filled, j + 1);
      int image = set.imageOf(classIndex, t);
      int place = 0;
      while (place < filled && get(support, supportAt, query, queryAt, place) != image) {
        place++;
      }
      for (int p = filled; p > place; p--) {
        put(support, supportAt, query, queryAt, p, get(support, supportAt, query, queryAt, p - 1));
      }
      int chosen = place < filled ? set.imageOf(classIndex, j) : image;
      put(support, supportAt, query, queryAt, place, chosen);
    }
  }

  // The chosen images of a class as one list: first the support places, then the query places.
  private int get(MemorySegment s, long sAt, MemorySegment q, long qAt, int place) {
    return place < shots ? s.get(INT, sAt + 4L * place) : q.get(INT, qAt + 4L * (place - shots));
  }

  private void put(MemorySegment s, long sAt, MemorySegment q, long qAt, int place, int image) {
    if (place < shots) {
      s.set(INT, sAt + 4L * place, image);
    } else {
      q.set(INT, qAt + 4L * (place - shots), image);
    }
  }

  // The key, as 64 bits, of one stream of an episode: a label's images, -1 for the classes, -2
  // for images without labels. The
  // same as key.fold(index).fold(stream), without its objects.
  private long stream(long index, int stream) {
    long episode = Key.block(key.k0(), key.k1(), (int) (index >>> 32), (int) index);
    return Key.block((int) (episode >>> 32), (int) episode, stream >> 31, stream);
  }

  // The same as index(draw, bound) of that key.
  private static int random(long stream, int draw, int bound) {
    long bits = Key.block((int) (stream >>> 32), (int) stream, 0, draw);
    return (int) ((bits >>> 11) * 0x1p-53 * bound);
  }
}
