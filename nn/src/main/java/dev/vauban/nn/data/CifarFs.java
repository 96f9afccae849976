package dev.vauban.nn.data;

import dev.vauban.nn.data.ClassFolders.Split;
import dev.vauban.tensor.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * CIFAR-FS (Bertinetto et al. 2019): the 100 classes of CIFAR-100 divided 64/16/20, 600 colour
 * images of 32x32 each. Reads every zip archive in a folder, or class folders, with {@code
 * split.json} ({"train": [names], "val": [names], "test": [names]}) or folders train, val and test
 * above the classes saying which class belongs where. A copy may lack the test classes.
 */
final class CifarFs {
  private static final String NAME = "cifarfs";
  private static final int SIZE = 32;
  private static final long LARGEST_SPLIT_FILE = 1 << 20;

  private CifarFs() {}

  static FewShotData open(Path path, DataOptions options) {
    List<PictureStore> stores = new ArrayList<>();
    try {
      openStores(path, stores);
      ClassFolders folders = ClassFolders.of(stores);
      if (folders.classes().isEmpty()) {
        throw new FormatException(
            path + " holds no images, neither in zip archives nor in folders");
      }
      Split[] splits = splits(path, folders);
      int size = options.sizeOr(SIZE);
      PictureLoader loader =
          new PictureLoader(
              Channels.RGB, size, options.resampling(), SIZE, UnaryOperator.identity());
      return folders.load(NAME, describe(splits, size), loader, splits);
    } finally {
      stores.forEach(PictureStore::close);
    }
  }

  private static void openStores(Path path, List<PictureStore> stores) {
    if (!Files.isDirectory(path)) {
      stores.add(PictureStore.open(path));
      return;
    }
    try (Stream<Path> files = Files.list(path)) {
      files
          .filter(f -> f.getFileName().toString().endsWith(".zip"))
          .sorted()
          .forEach(f -> stores.add(PictureStore.open(f)));
    } catch (IOException e) {
      throw new DataException(path + " cannot be listed: " + e.getMessage(), e);
    }
    stores.add(PictureStore.open(path));
  }

  private static Split[] splits(Path path, ClassFolders folders) {
    Path dir = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
    Path file = dir.resolve("split.json");
    Map<String, Split> listed = Files.exists(file) ? read(file) : Map.of();
    Split[] splits = new Split[folders.classes().size()];
    for (int c = 0; c < splits.length; c++) {
      ClassFolders.Folder folder = folders.classes().get(c);
      Split says = listed.get(folder.name());
      if (says != null && folder.above() != null && says != folder.above()) {
        throw new FormatException(
            "class '" + folder.name() + "' lies in another split's folder than " + file + " says");
      }
      splits[c] = says != null ? says : folder.above();
      if (splits[c] == null) {
        throw new FormatException(
            "class '"
                + folder.name()
                + "' belongs to no split: "
                + (Files.exists(file) ? file + " does not name it" : file + " does not exist")
                + " and it lies in no folder train, val or test");
      }
    }
    checkComplete(file, listed, folders, splits);
    return splits;
  }

  // A split may be absent as a whole, but a class may not be missing from one that is there.
  private static void checkComplete(
      Path file, Map<String, Split> listed, ClassFolders folders, Split[] splits) {
    List<String> names = folders.names();
    List<Split> present = List.of(splits);
    for (Map.Entry<String, Split> entry : listed.entrySet()) {
      if (present.contains(entry.getValue()) && !names.contains(entry.getKey())) {
        throw new FormatException(
            file + " lists class '" + entry.getKey() + "', which has no images");
      }
    }
    if (!present.contains(Split.TRAIN)) {
      throw new FormatException(file.getParent() + " holds no training classes");
    }
  }

  private static Map<String, Split> read(Path file) {
    JsonNode root;
    try {
      if (Files.size(file) > LARGEST_SPLIT_FILE) {
        throw new FormatException(file + " is too large to be a list of classes");
      }
      root = JsonMapper.shared().readTree(Files.readString(file));
    } catch (JacksonException e) {
      throw new FormatException(file + " is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new DataException(file + " cannot be read: " + e.getMessage(), e);
    }
    if (!root.isObject()) {
      throw new FormatException(file + " is not an object of lists called train, val and test");
    }
    Map<String, Split> listed = new HashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      Split split = Split.named(entry.getKey());
      if (split == null || !entry.getValue().isArray()) {
        throw new FormatException(
            file
                + " has a member '"
                + entry.getKey()
                + "'; expected lists of class names called train, val and test");
      }
      for (JsonNode name : entry.getValue()) {
        if (!name.isString()) {
          throw new FormatException(file + " lists " + name + " where a class name belongs");
        }
        if (listed.put(name.stringValue(), split) != null) {
          throw new FormatException(file + " names class '" + name.stringValue() + "' twice");
        }
      }
    }
    return listed;
  }

  private static String describe(Split[] splits, int size) {
    int test = ClassFolders.members(splits, Split.TEST).length;
    return "CIFAR-FS (Krizhevsky 2009; split of Bertinetto et al. 2019), "
        + size
        + "x"
        + size
        + " RGB; "
        + ClassFolders.members(splits, Split.TRAIN).length
        + " train, "
        + ClassFolders.members(splits, Split.VALIDATION).length
        + " validation and "
        + test
        + " test classes"
        + (test == 0 ? " (this copy has no test classes: report on validation)." : ".");
  }
}
