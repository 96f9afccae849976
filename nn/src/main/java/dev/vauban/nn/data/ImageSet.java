package dev.vauban.nn.data;

import dev.vauban.nn.NearestName;
import dev.vauban.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Classes of images, decoded once into one off-heap block. Selections share the block, so an image
 * index means the same image in every set of a data set, and a plan needs the block just once.
 *
 * <p>Closing any of the sets that share a block releases it for all of them; reading pixels or
 * drawing episodes afterwards gives a {@link dev.vauban.tensor.ClosedException}. Reading is safe
 * from any thread, but nobody may close a set while a plan runs on its block.
 */
public final class ImageSet implements AutoCloseable {
  private final ImageBlock block;
  private final List<String> classNames;
  private final int[][] images;
  private final int size;
  private volatile String contentHash;

  ImageSet(ImageBlock block, List<String> classNames, int[][] images) {
    if (classNames.size() != images.length) {
      throw new IllegalArgumentException(classNames.size() + " names, " + images.length + " lists");
    }
    this.block = block;
    this.classNames = List.copyOf(classNames);
    this.images = images;
    this.size = Arrays.stream(images).mapToInt(list -> list.length).sum();
  }

  /**
   * A set of your own images, copied into one block. Close it (or any selection of it) when done.
   *
   * @param name of the data set, for messages
   * @param height in pixels
   * @param width in pixels
   * @param channels 1 (gray) or 3 (red, green, blue)
   * @param classes images by class name, each [height, width, channels] in bytes: 255 is brightness
   *     1
   * @throws DataException if an image has another number of bytes, or there is no class
   */
  public static ImageSet of(
      String name, int height, int width, int channels, Map<String, List<byte[]>> classes) {
    if (height < 1 || width < 1 || channels != 1 && channels != 3) {
      throw new DataException(
          "images of %s have at least 1 pixel and 1 or 3 channels, not %dx%dx%d"
              .formatted(name, height, width, channels));
    }
    if (classes.isEmpty()) {
      throw new DataException(name + " has no classes");
    }
    int count = classes.values().stream().mapToInt(List::size).sum();
    ImageBlock block = new ImageBlock(name, count, height, width, channels);
    int[][] lists = new int[classes.size()][];
    List<String> names = List.copyOf(classes.keySet());
    int next = 0;
    for (int c = 0; c < lists.length; c++) {
      List<byte[]> images = classes.get(names.get(c));
      lists[c] = new int[images.size()];
      for (int i = 0; i < lists[c].length; i++) {
        if (images.get(i).length != block.imageBytes()) {
          block.close();
          throw new DataException(
              "image %d of class '%s' of %s has %d bytes, but %dx%dx%d are %d"
                  .formatted(
                      i,
                      names.get(c),
                      name,
                      images.get(i).length,
                      height,
                      width,
                      channels,
                      block.imageBytes()));
        }
        block.image(next).copyFrom(MemorySegment.ofArray(images.get(i)));
        lists[c][i] = next++;
      }
    }
    return new ImageSet(block, names, lists);
  }

  /** The data set this belongs to, for example {@code omniglot}. */
  public String name() {
    return block.name();
  }

  /** Number of classes. */
  public int classCount() {
    return images.length;
  }

  /** Names of the classes, by class index. */
  public List<String> classNames() {
    return classNames;
  }

  /** Number of images in this set; the block may hold more. */
  public int size() {
    return size;
  }

  /** Height of an image in pixels. */
  public int height() {
    return block.height;
  }

  /** Width of an image in pixels. */
  public int width() {
    return block.width;
  }

  /** Channels of a pixel: 1 (gray) or 3 (red, green, blue). */
  public int channels() {
    return block.channels;
  }

  /** Shape of the whole block: [images, height, width, channels]. */
  public Shape blockShape() {
    return Shape.of(block.images, block.height, block.width, block.channels);
  }

  /**
   * The whole block, u8, shape {@link #blockShape}, 64-byte aligned, read-only. Byte 255 is
   * brightness 1 (for Omniglot and glyphs: full stroke). Index it with the values of {@link
   * #imagesOf}.
   */
  public MemorySegment pixels() {
    return block.pixels().asReadOnly();
  }

  /**
   * The bytes of one image, [height, width, channels], read-only.
   *
   * @param index position in the block
   */
  public MemorySegment image(int index) {
    if (index < 0 || index >= block.images) {
      throw new IndexOutOfBoundsException("image " + index + " of " + block.images);
    }
    return block.image(index).asReadOnly();
  }

  /** Positions in the block of the images of a class, a copy. */
  public int[] imagesOf(int classIndex) {
    return images[classIndex].clone();
  }

  /** Number of images of a class. */
  public int imageCount(int classIndex) {
    return images[classIndex].length;
  }

  /** Position in the block of image {@code i} of a class. */
  public int imageOf(int classIndex, int i) {
    return images[classIndex][i];
  }

  /** The least number of images that a class has; 0 for a set without classes. */
  public int leastImages() {
    return Arrays.stream(images).mapToInt(list -> list.length).min().orElse(0);
  }

  /** The class index of every image of the block, -1 for images that are not in this set. */
  public int[] labels() {
    int[] labels = new int[block.images];
    Arrays.fill(labels, -1);
    for (int c = 0; c < images.length; c++) {
      for (int image : images[c]) {
        labels[image] = c;
      }
    }
    return labels;
  }

  /**
   * A set of some of these classes, in the order given; it shares this set's block.
   *
   * @throws DataException if a class index is out of range or given twice
   */
  public ImageSet select(int... classes) {
    String[] names = new String[classes.length];
    int[][] lists = new int[classes.length][];
    boolean[] seen = new boolean[images.length];
    for (int i = 0; i < classes.length; i++) {
      int c = classes[i];
      if (c < 0 || c >= images.length) {
        throw new DataException(
            "class " + c + " was asked for, but " + name() + " has " + images.length + " classes");
      }
      if (seen[c]) {
        throw new DataException("class " + c + " of " + name() + " was asked for twice");
      }
      seen[c] = true;
      names[i] = classNames.get(c);
      lists[i] = images[c];
    }
    return new ImageSet(block, List.of(names), lists);
  }

  /**
   * A set of the classes with these names, in the order given; it shares this set's block.
   *
   * @throws DataException if a name is unknown or given twice
   */
  public ImageSet select(Collection<String> names) {
    Map<String, Integer> index = new HashMap<>();
    for (int c = 0; c < images.length; c++) {
      index.put(classNames.get(c), c);
    }
    int[] classes = new int[names.size()];
    int i = 0;
    for (String wanted : names) {
      Integer c = index.get(wanted);
      if (c == null) {
        throw new DataException(
            name() + " has no class '" + wanted + "'" + NearestName.hint(wanted, classNames));
      }
      classes[i++] = c;
    }
    return select(classes);
  }

  /**
   * A set of some of these images; classes that keep none are left out. It shares this set's block.
   *
   * @param keep whether the image at this position of the block stays
   */
  public ImageSet where(IntPredicate keep) {
    List<String> names = new ArrayList<>();
    List<int[]> lists = new ArrayList<>();
    for (int c = 0; c < images.length; c++) {
      int[] kept = Arrays.stream(images[c]).filter(keep).toArray();
      if (kept.length > 0) {
        names.add(classNames.get(c));
        lists.add(kept);
      }
    }
    return new ImageSet(block, names, lists.toArray(int[][]::new));
  }

  /**
   * SHA-256 of what this set holds, in hexadecimal: image size, then each class's name, number of
   * images and pixels, in order. Equal for equal data wherever it was read from; computed on first
   * use.
   */
  public String contentHash() {
    String hash = contentHash;
    if (hash == null) {
      hash = hash();
      contentHash = hash;
    }
    return hash;
  }

  private String hash() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
    digest.update(text(height() + "x" + width() + "x" + channels()));
    for (int c = 0; c < images.length; c++) {
      digest.update(text(classNames.get(c) + " " + images[c].length));
      for (int image : images[c]) {
        digest.update(block.image(image).asByteBuffer());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static byte[] text(String line) {
    return (line + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Refuses a closed block.
   *
   * @throws dev.vauban.tensor.ClosedException if this set or one that shares its block was closed
   */
  void check() {
    block.check();
  }

  /** True once this set or one that shares its block was closed. */
  public boolean isClosed() {
    return block.isClosed();
  }

  /** Releases the block, for every set that shares it. Closing again does nothing. */
  @Override
  public void close() {
    block.close();
  }

  /** For example {@code omniglot: 423 classes, 8460 images of 28x28x1}. */
  @Override
  public String toString() {
    return name()
        + ": "
        + classCount()
        + " classes, "
        + size
        + " images of "
        + height()
        + "x"
        + width()
        + "x"
        + channels();
  }
}
