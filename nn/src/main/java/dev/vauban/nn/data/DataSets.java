package dev.vauban.nn.data;

import dev.vauban.nn.NearestName;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Opens data sets by name. A spec is a name, and after a colon the folder to read (or for glyphs
 * the seed):
 *
 * <ul>
 *   <li>{@code omniglot:DIR} with images_background.zip and images_evaluation.zip, or the folders
 *   <li>{@code cifarfs:DIR} with zip archives or class folders and split.json
 *   <li>{@code mnist:DIR}, {@code fashion:DIR} with the four IDX files, gzipped or not
 *   <li>{@code folder:DIR} with one folder of images for each class
 *   <li>{@code glyphs} or {@code glyphs:SEED}, drawn and needing no files; the default seed is 0
 * </ul>
 */
public final class DataSets {
  private static final List<String> NAMES =
      List.of("omniglot", "cifarfs", "mnist", "fashion", "folder", "glyphs");
  private static final Map<String, String> OTHER_NAMES =
      Map.of("cifar-fs", "cifarfs", "fashion-mnist", "fashion");

  private DataSets() {}

  /** Names that {@link #open} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The name among {@link #names} that is meant: itself, or another name in use ({@code cifar-fs},
   * {@code fashion-mnist}).
   *
   * @throws DataException if there is no such data set, with the nearest name
   */
  public static String canonical(String given) {
    String name = OTHER_NAMES.getOrDefault(given, given);
    if (!NAMES.contains(name)) {
      throw new DataException(NearestName.unknown("data set", given, NAMES));
    }
    return name;
  }

  /**
   * Opens a data set with {@link DataOptions#DEFAULT}.
   *
   * @param spec for example {@code omniglot:data/omniglot}
   */
  public static FewShotData open(String spec) {
    return open(spec, DataOptions.DEFAULT);
  }

  /**
   * Opens a data set: reads and decodes all of it. Close the result to release its memory.
   *
   * @param spec for example {@code omniglot:data/omniglot} or {@code glyphs:7}
   * @param options split, size and the like
   * @throws DataException if the name is unknown, the folder is missing or is not that data set
   * @throws dev.vauban.tensor.FormatException if a file is damaged or not what it should be
   */
  public static FewShotData open(String spec, DataOptions options) {
    int colon = spec.indexOf(':');
    String given = colon < 0 ? spec : spec.substring(0, colon);
    String argument = colon < 0 ? "" : spec.substring(colon + 1);
    String name = canonical(given);
    return switch (name) {
      case "glyphs" -> Glyphs.open(seed(argument), options);
      case "omniglot" -> Omniglot.open(path(name, argument), options);
      case "cifarfs" -> CifarFs.open(path(name, argument), options);
      case "mnist" ->
          Idx.open(name, "MNIST (LeCun et al. 1998)", Idx.DIGITS, path(name, argument), options);
      case "fashion" ->
          Idx.open(
              name, "Fashion-MNIST (Xiao et al. 2017)", Idx.CLOTHES, path(name, argument), options);
      case "folder" -> ImageFolder.open(path(name, argument), options);
      default -> throw new IllegalStateException("names and switch differ: " + name);
    };
  }

  private static Path path(String name, String argument) {
    if (argument.isBlank()) {
      throw new DataException(
          "data set '" + name + "' needs the folder it lies in: " + name + ":DIR");
    }
    try {
      return Path.of(argument);
    } catch (InvalidPathException e) {
      throw new DataException("'" + argument + "' is not a path: " + e.getReason(), e);
    }
  }

  private static long seed(String argument) {
    if (argument.isEmpty()) {
      return 0;
    }
    try {
      return Long.parseLong(argument.strip());
    } catch (NumberFormatException e) {
      throw new DataException(
          "glyphs take a whole number as seed, as in glyphs:7, but got '" + argument + "'", e);
    }
  }
}
