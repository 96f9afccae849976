package dev.vauban.cli.config;

import dev.vauban.nn.data.DataException;
import dev.vauban.nn.data.DataSets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * A data set as users name it: {@code omniglot:DIR}, {@code cifarfs:DIR}, {@code mnist:DIR}, {@code
 * fashion:DIR}, {@code folder:DIR} or {@code glyphs[:SEED]}.
 *
 * @param kind which reader
 * @param folder the folder to read; null for glyphs
 * @param seed the seed of glyphs' classes; 0 for the others
 */
public record DataSpec(Kind kind, Path folder, long seed) {

  /** The data sets that the command can read. */
  public enum Kind implements Named {
    /** Omniglot: 1,623 handwritten characters of 20 images. */
    OMNIGLOT("omniglot", "handwritten characters, 28x28 grey, from the two zips or folders"),
    /** CIFAR-FS: 100 classes of 600 colour images. */
    CIFARFS("cifarfs", "natural images, 32x32 colour, from the zip or class folders"),
    /** MNIST digits. */
    MNIST("mnist", "digits, 28x28 grey, from the IDX files (.gz or not)"),
    /** Fashion-MNIST. */
    FASHION("fashion", "clothes, 28x28 grey, from the IDX files (.gz or not)"),
    /** A folder of class folders. */
    FOLDER("folder", "your images: one folder per class"),
    /** Built-in procedurally drawn characters. */
    GLYPHS("glyphs", "drawn stroke characters, 28x28 grey, built in, no download");

    private final String label;
    private final String description;

    Kind(String label, String description) {
      this.label = label;
      this.description = description;
    }

    @Override
    public String label() {
      return label;
    }

    /** One line that says what the data are. */
    public String description() {
      return description;
    }

    /** How the data set is written on the command line. */
    public String form() {
      return this == GLYPHS ? "glyphs[:SEED]" : label + ":DIR";
    }
  }

  /**
   * Reads a data set's name.
   *
   * @throws IllegalArgumentException with a sentence that says what would be right
   */
  public static DataSpec parse(String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    String rest = colon < 0 ? "" : text.substring(colon + 1);
    Kind kind = kind(name);
    if (kind == Kind.GLYPHS) {
      return new DataSpec(kind, null, rest.isEmpty() ? 0 : seed(rest));
    }
    if (rest.isBlank()) {
      throw new IllegalArgumentException(
          kind.label
              + " needs its folder: write "
              + kind.form()
              + ", e.g. "
              + kind.label
              + ":data");
    }
    return new DataSpec(kind, Path.of(rest), 0);
  }

  private static Kind kind(String name) {
    try {
      String label = DataSets.canonical(name.strip().toLowerCase(Locale.ROOT));
      return Arrays.stream(Kind.values())
          .filter(k -> k.label.equals(label))
          .findFirst()
          .orElseThrow();
    } catch (DataException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static long seed(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "the seed of glyphs is a whole number, e.g. glyphs:7, not '" + text + "'", e);
    }
  }

  /** The form that {@link #parse} reads. */
  @Override
  public String toString() {
    if (kind == Kind.GLYPHS) {
      return seed == 0 ? "glyphs" : "glyphs:" + seed;
    }
    return kind.label + ":" + folder;
  }
}
