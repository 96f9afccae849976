package dev.vauban.nn.data;

import dev.vauban.nn.data.PictureLoader.Picture;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Key;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Omniglot (Lake et al. 2015): 1,623 characters of 50 alphabets, each drawn by 20 people, as
 * 105x105 1-bit images with black ink on white. Here ink is 255 and paper 0, at 28x28 unless the
 * options say otherwise.
 */
final class Omniglot {
  private static final String NAME = "omniglot";
  private static final int SOURCE_SIZE = 105;
  private static final int SIZE = 28;
  private static final int TEST_CHARACTERS = 423;
  private static final int CHARACTERS = 1623;
  private static final Set<String> VALIDATION_ALPHABETS =
      Set.of("Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)");

  private Omniglot() {}

  /** A character: its name, whether it is in the background set, and its images. */
  private record Character(
      String name, String alphabet, boolean background, List<Picture> images) {}

  static FewShotData open(Path dir, DataOptions options) {
    try (PictureStore background = half(dir, "images_background");
        PictureStore evaluation = half(dir, "images_evaluation")) {
      List<Character> characters = new ArrayList<>();
      characters.addAll(characters(background, true, dir));
      characters.addAll(characters(evaluation, false, dir));
      return build(dir, characters, options);
    }
  }

  private static PictureStore half(Path dir, String name) {
    Path folder = dir.resolve(name);
    Path zip = dir.resolve(name + ".zip");
    if (Files.isDirectory(folder)) {
      return PictureStore.open(folder);
    }
    if (Files.exists(zip)) {
      return PictureStore.open(zip);
    }
    throw new DataException(
        dir
            + " has neither "
            + name
            + ".zip nor a folder "
            + name
            + "; name the folder that holds both halves of Omniglot");
  }

  // Paths end in ALPHABET/characterNN/FILE.png.
  private static List<Character> characters(PictureStore store, boolean background, Path dir) {
    Map<String, Character> found = new TreeMap<>();
    for (String path : store.paths()) {
      String[] parts = path.split("/");
      if (parts.length < 3) {
        throw new FormatException(
            store.where(path) + " is not in a folder ALPHABET/CHARACTER as Omniglot's images are");
      }
      String alphabet = parts[parts.length - 3];
      String name = alphabet + "/" + parts[parts.length - 2];
      found
          .computeIfAbsent(name, n -> new Character(n, alphabet, background, new ArrayList<>()))
          .images()
          .add(new Picture(store, path));
    }
    if (found.isEmpty()) {
      throw new FormatException(
          "the "
              + (background ? "background" : "evaluation")
              + " half in "
              + dir
              + " has no image");
    }
    return List.copyOf(found.values());
  }

  private static FewShotData build(Path dir, List<Character> characters, DataOptions options) {
    Splits splits = split(dir, characters, options);
    int size = options.sizeOr(SIZE);
    boolean[] turned = new boolean[characters.size()];
    if (options.rotations() == Rotations.ALL) {
      Arrays.fill(turned, true);
    } else if (options.rotations() == Rotations.TRAIN) {
      Arrays.stream(splits.train).forEach(c -> turned[c] = true);
    }

    // Upright images first, in character order; then the turned copies, class by class.
    List<Picture> pictures = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<int[]> lists = new ArrayList<>();
    for (Character c : characters) {
      names.add(c.name());
      lists.add(IntStream.range(pictures.size(), pictures.size() + c.images().size()).toArray());
      pictures.addAll(c.images());
    }
    int[][] turnedClasses = new int[characters.size()][];
    int images = pictures.size();
    for (int c = 0; c < turned.length; c++) {
      turnedClasses[c] = new int[] {c};
      if (turned[c]) {
        int next = names.size();
        turnedClasses[c] = new int[] {c, next, next + 1, next + 2};
        for (int quarter = 1; quarter <= 3; quarter++) {
          names.add(names.get(c) + "@" + 90 * quarter);
          int n = lists.get(c).length;
          lists.add(IntStream.range(images, images + n).toArray());
          images += n;
        }
      }
    }

    ImageBlock block = new ImageBlock(NAME, images, size, size, 1);
    try {
      new PictureLoader(Channels.GRAY, size, options.resampling(), SOURCE_SIZE, Pixels::inverted)
          .load(pictures, block);
      for (int[] classes : turnedClasses) {
        for (int quarter = 1; quarter < classes.length; quarter++) {
          turn(block, lists.get(classes[quarter - 1]), lists.get(classes[quarter]));
        }
      }
    } catch (RuntimeException e) {
      block.close();
      throw e;
    }
    ImageSet all = new ImageSet(block, names, lists.toArray(int[][]::new));
    return new FewShotData(
        NAME,
        describe(options, characters.size(), size),
        SplitKind.BY_CLASS,
        all,
        all.select(withTurned(splits.train, turnedClasses)),
        all.select(withTurned(splits.validation, turnedClasses)),
        all.select(withTurned(splits.test, turnedClasses)));
  }

  /** Character indices of each split. */
  private record Splits(int[] train, int[] validation, int[] test) {}

  private static Splits split(Path dir, List<Character> characters, DataOptions options) {
    int n = characters.size();
    if (options.omniglotSplit() != OmniglotSplit.ALPHABET && n != CHARACTERS) {
      throw new FormatException(
          dir
              + " holds "
              + n
              + " characters, but this split divides all "
              + CHARACTERS
              + " of Omniglot");
    }
    int firstTest = n - TEST_CHARACTERS;
    return switch (options.omniglotSplit()) {
      case VINYALS ->
          new Splits(
              IntStream.range(0, firstTest).filter(i -> !validates(characters.get(i))).toArray(),
              IntStream.range(0, firstTest).filter(i -> validates(characters.get(i))).toArray(),
              IntStream.range(firstTest, n).toArray());
      case ALPHABET ->
          new Splits(
              IntStream.range(0, n).filter(i -> characters.get(i).background()).toArray(),
              new int[0],
              IntStream.range(0, n).filter(i -> !characters.get(i).background()).toArray());
      case SHUFFLED -> {
        int[] order = Key.of(options.seed()).permutation(n);
        yield new Splits(
            Arrays.copyOf(order, firstTest), new int[0], Arrays.copyOfRange(order, firstTest, n));
      }
    };
  }

  private static boolean validates(Character c) {
    return c.background() && VALIDATION_ALPHABETS.contains(c.alphabet());
  }

  private static int[] withTurned(int[] characters, int[][] turnedClasses) {
    return Arrays.stream(characters).flatMap(c -> Arrays.stream(turnedClasses[c])).toArray();
  }

  // A quarter turn counter-clockwise: the last column becomes the first row.
  private static void turn(ImageBlock block, int[] from, int[] to) {
    int side = block.width;
    for (int i = 0; i < from.length; i++) {
      MemorySegment in = block.image(from[i]);
      MemorySegment out = block.image(to[i]);
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          byte v = in.get(ValueLayout.JAVA_BYTE, (long) x * side + (side - 1 - y));
          out.set(ValueLayout.JAVA_BYTE, (long) y * side + x, v);
        }
      }
    }
  }

  private static String describe(DataOptions options, int characters, int size) {
    String split =
        switch (options.omniglotSplit()) {
          case VINYALS -> "the Vinyals split, 1028 train, 172 validation and 423 test characters";
          case ALPHABET -> "the alphabet split, background alphabets train, evaluation ones test";
          case SHUFFLED ->
              "shuffled with seed " + options.seed() + ", 1200 train and 423 test characters";
        };
    String turned =
        switch (options.rotations()) {
          case NONE -> "no rotations";
          case TRAIN -> "quarter turns of training characters as further classes";
          case ALL -> "quarter turns as further classes";
        };
    return "Omniglot (Lake et al. 2015), "
        + characters
        + " characters, "
        + size
        + "x"
        + size
        + " ("
        + options.resampling().name().toLowerCase(java.util.Locale.ROOT)
        + "), ink 1 on paper 0; "
        + split
        + "; "
        + turned
        + ".";
  }
}
