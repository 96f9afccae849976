package dev.vauban.nn.data;

import dev.vauban.tensor.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Finds class folders without a single file, which a list of image paths cannot show. */
final class EmptyClasses {
  private EmptyClasses() {}

  /** Refuses a folder below {@code root} (at most two levels down) in which nothing lies. */
  static void check(Path root) {
    List<Path> folders;
    try (Stream<Path> below = Files.walk(root, 2)) {
      folders = below.filter(p -> !p.equals(root) && Files.isDirectory(p)).sorted().toList();
    } catch (IOException e) {
      throw new DataException(root + " cannot be listed: " + e.getMessage(), e);
    }
    for (Path folder : folders) {
      if (folder.getFileName().toString().startsWith(".")) {
        continue;
      }
      try (Stream<Path> inside = Files.list(folder)) {
        if (inside.noneMatch(EmptyClasses::counts)) {
          throw new FormatException("class folder " + folder + " holds no images");
        }
      } catch (IOException e) {
        throw new DataException(folder + " cannot be listed: " + e.getMessage(), e);
      }
    }
  }

  private static boolean counts(Path path) {
    return Files.isDirectory(path) || PictureStore.isImage(path.getFileName().toString());
  }
}
