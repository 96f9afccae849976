package dev.vauban.nn.data;

import dev.vauban.nn.data.PictureLoader.Picture;
import dev.vauban.tensor.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Pictures grouped by the folder they lie in: {@code CLASS/FILE} or {@code SPLIT/CLASS/FILE}.
 *
 * @param classes the classes, ordered by name
 */
record ClassFolders(List<Folder> classes) {

  /** A split of the data by class. */
  enum Split {
    TRAIN,
    VALIDATION,
    TEST;

    /** The split that a folder's or a list's name means, or null. */
    static Split named(String name) {
      return switch (name) {
        case "train" -> TRAIN;
        case "val", "valid", "validation" -> VALIDATION;
        case "test" -> TEST;
        default -> null;
      };
    }
  }

  /**
   * One class.
   *
   * @param name the folder's name
   * @param above what the folder above it says about its split, or null
   * @param pictures its images in order of path
   */
  record Folder(String name, Split above, List<Picture> pictures) {}

  static ClassFolders of(List<PictureStore> stores) {
    Map<String, Folder> found = new TreeMap<>();
    for (PictureStore store : stores) {
      for (String path : store.paths()) {
        String[] parts = path.split("/");
        if (parts.length < 2) {
          throw new FormatException(
              store.where(path) + " lies in no class folder; expected CLASS/FILE");
        }
        String name = parts[parts.length - 2];
        Split above = parts.length > 2 ? Split.named(parts[parts.length - 3]) : null;
        Folder folder = found.computeIfAbsent(name, n -> new Folder(n, above, new ArrayList<>()));
        if (!folder.pictures().isEmpty() && folder.pictures().get(0).store() != store) {
          throw new FormatException(
              "class '"
                  + name
                  + "' is there twice, as "
                  + folder.pictures().get(0).where()
                  + " and "
                  + store.where(path)
                  + "; keep one of them");
        }
        if (folder.above() != above) {
          throw new FormatException(
              store.where(path) + " puts class '" + name + "' into a second split");
        }
        folder.pictures().add(new Picture(store, path));
      }
    }
    return new ClassFolders(List.copyOf(found.values()));
  }

  List<String> names() {
    return classes.stream().map(Folder::name).toList();
  }

  List<Picture> pictures() {
    return classes.stream().flatMap(c -> c.pictures().stream()).toList();
  }

  int images() {
    return classes.stream().mapToInt(c -> c.pictures().size()).sum();
  }

  /** Block positions of each class's images when {@link #pictures} are loaded in order. */
  int[][] positions() {
    int[][] lists = new int[classes.size()][];
    int next = 0;
    for (int c = 0; c < lists.length; c++) {
      int n = classes.get(c).pictures().size();
      lists[c] = IntStream.range(next, next + n).toArray();
      next += n;
    }
    return lists;
  }

  /** Decodes everything and divides it: class {@code c} belongs to {@code splits[c]}. */
  FewShotData load(String name, String description, PictureLoader loader, Split[] splits) {
    ImageBlock block =
        new ImageBlock(name, images(), loader.size(), loader.size(), loader.channels().count());
    try {
      loader.load(pictures(), block);
    } catch (RuntimeException e) {
      block.close();
      throw e;
    }
    ImageSet all = new ImageSet(block, names(), positions());
    return new FewShotData(
        name,
        description,
        SplitKind.BY_CLASS,
        all,
        all.select(members(splits, Split.TRAIN)),
        all.select(members(splits, Split.VALIDATION)),
        all.select(members(splits, Split.TEST)));
  }

  static int[] members(Split[] splits, Split wanted) {
    return IntStream.range(0, splits.length).filter(c -> splits[c] == wanted).toArray();
  }
}
