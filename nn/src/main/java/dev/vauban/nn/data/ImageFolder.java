package dev.vauban.nn.data;

import dev.vauban.nn.data.ClassFolders.Split;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Key;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A folder (or zip archive) with one folder of images for each class. The largest middle square of
 * an image is resampled to the size asked for. Folders train, val and test above the class folders
 * give the split; without them the classes are shuffled by the seed and divided 64 : 16 : 20.
 */
final class ImageFolder {
  private static final String NAME = "folder";
  private static final int SIZE = 84;
  private static final int FEWEST_CLASSES = 3;

  private ImageFolder() {}

  static FewShotData open(Path path, DataOptions options) {
    try (PictureStore store = PictureStore.open(path)) {
      ClassFolders folders = ClassFolders.of(List.of(store));
      if (folders.classes().isEmpty()) {
        throw new FormatException(
            path + " holds no class folders with PNG, JPEG, BMP or GIF images");
      }
      if (Files.isDirectory(path)) {
        EmptyClasses.check(path);
      }
      boolean divided = folders.classes().stream().anyMatch(c -> c.above() != null);
      Split[] splits = divided ? given(path, folders) : shuffled(path, folders, options.seed());
      int size = options.sizeOr(SIZE);
      PictureLoader loader =
          new PictureLoader(
              options.channels(), size, options.resampling(), 0, Pixels::centreSquare);
      String how = divided ? "split by folders" : "split by seed " + options.seed();
      return folders.load(NAME, describe(path, splits, size, how), loader, splits);
    }
  }

  private static Split[] given(Path path, ClassFolders folders) {
    for (ClassFolders.Folder c : folders.classes()) {
      if (c.above() == null) {
        throw new FormatException(
            "class '"
                + c.name()
                + "' in "
                + path
                + " lies outside the folders train, val and test");
      }
    }
    return folders.classes().stream().map(ClassFolders.Folder::above).toArray(Split[]::new);
  }

  private static Split[] shuffled(Path path, ClassFolders folders, long seed) {
    int n = folders.classes().size();
    if (n < FEWEST_CLASSES) {
      throw new FormatException(
          path
              + " holds "
              + n
              + (n == 1 ? " class" : " classes")
              + ", but a split by class needs at least "
              + FEWEST_CLASSES);
    }
    int test = Math.max(1, Math.round(0.20f * n));
    int validation = Math.max(1, Math.round(0.16f * n));
    int[] order = Key.of(seed).permutation(n);
    Split[] splits = new Split[n];
    Arrays.fill(splits, Split.TRAIN);
    for (int i = 0; i < test + validation; i++) {
      splits[order[i]] = i < test ? Split.TEST : Split.VALIDATION;
    }
    return splits;
  }

  private static String describe(Path path, Split[] splits, int size, String how) {
    return "Images in "
        + path
        + ", "
        + size
        + "x"
        + size
        + "; "
        + how
        + " into "
        + ClassFolders.members(splits, Split.TRAIN).length
        + " train, "
        + ClassFolders.members(splits, Split.VALIDATION).length
        + " validation and "
        + ClassFolders.members(splits, Split.TEST).length
        + " test classes.";
  }
}
