package dev.vauban.nn.data;

import dev.vauban.tensor.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Encoded image files under relative paths with forward slashes, in a zip archive or a folder.
 * Nothing is ever unpacked to disk. Safe for several threads.
 */
sealed interface PictureStore extends AutoCloseable {
  /** Largest encoded image accepted: far above any photograph, far below a decompression bomb. */
  int LARGEST_FILE = 32 << 20;

  /** Most files accepted in one store. */
  int MOST_FILES = 5_000_000;

  /** File name endings that ImageIO of every JDK can read. */
  Set<String> ENDINGS = Set.of("png", "jpg", "jpeg", "bmp", "gif");

  /** Relative paths of the images, sorted. */
  List<String> paths();

  /** The bytes of the image at {@code path}. */
  byte[] read(String path);

  /** Where {@code path} is, for messages. */
  String where(String path);

  @Override
  void close();

  /** Opens a zip file or a folder. */
  static PictureStore open(Path path) {
    if (Files.isDirectory(path)) {
      return new Folder(path);
    }
    if (!Files.exists(path)) {
      throw new DataException(path + " does not exist");
    }
    return new Zip(path);
  }

  /** Whether a relative path names an image file that is not hidden. */
  static boolean isImage(String path) {
    if (path.startsWith("__MACOSX/") || path.substring(path.lastIndexOf('/') + 1).startsWith(".")) {
      return false;
    }
    String ending = path.substring(path.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return ENDINGS.contains(ending);
  }

  private static byte[] readLimited(InputStream in, String where) throws IOException {
    byte[] bytes = in.readNBytes(LARGEST_FILE + 1);
    if (bytes.length > LARGEST_FILE) {
      throw new FormatException(
          where + " is larger than " + (LARGEST_FILE >> 20) + " MiB, which no image here may be");
    }
    return bytes;
  }

  /** Images in a zip archive. */
  final class Zip implements PictureStore {
    private final Path file;
    private final ZipFile zip;
    private final List<String> paths;

    Zip(Path file) {
      this.file = file;
      try {
        zip = new ZipFile(file.toFile());
      } catch (ZipException e) {
        throw new FormatException(
            file + " is not a complete zip archive (" + e.getMessage() + "); fetch it again", e);
      } catch (IOException e) {
        throw new DataException(file + " cannot be read: " + e.getMessage(), e);
      }
      try {
        paths = list();
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    private List<String> list() {
      if (zip.size() > MOST_FILES) {
        throw new FormatException(file + " has " + zip.size() + " entries; at most " + MOST_FILES);
      }
      List<String> names = new ArrayList<>();
      zip.stream()
          .filter(entry -> !entry.isDirectory() && isImage(entry.getName()))
          .forEach(entry -> names.add(checked(entry)));
      names.sort(null);
      for (int i = 1; i < names.size(); i++) {
        if (names.get(i).equals(names.get(i - 1))) {
          throw new FormatException(where(names.get(i)) + " is in the archive twice");
        }
      }
      return names;
    }

    private String checked(ZipEntry entry) {
      String name = entry.getName();
      boolean climbs = List.of(name.split("/", -1)).contains("..");
      if (climbs || name.startsWith("/") || name.indexOf('\\') >= 0 || name.indexOf(':') >= 0) {
        throw new FormatException(where(name) + " has a path that leaves the archive");
      }
      if (entry.getSize() > LARGEST_FILE) {
        throw new FormatException(
            where(name)
                + " unpacks to "
                + (entry.getSize() >> 20)
                + " MiB; an image here may have "
                + (LARGEST_FILE >> 20));
      }
      return name;
    }

    @Override
    public List<String> paths() {
      return paths;
    }

    @Override
    public byte[] read(String path) {
      ZipEntry entry = zip.getEntry(path);
      byte[] bytes;
      try (InputStream in = zip.getInputStream(entry)) {
        bytes = readLimited(in, where(path));
      } catch (IOException e) {
        throw new FormatException(where(path) + " is corrupt (" + e.getMessage() + ")", e);
      }
      // ZipFile inflates without comparing the checksum.
      CRC32 crc = new CRC32();
      crc.update(bytes);
      if (entry.getCrc() >= 0 && entry.getCrc() != crc.getValue()) {
        throw new FormatException(where(path) + " is corrupt (its checksum does not match)");
      }
      return bytes;
    }

    @Override
    public String where(String path) {
      return path + " in " + file;
    }

    @Override
    public void close() {
      try {
        zip.close();
      } catch (IOException e) {
        throw new DataException(file + " cannot be closed: " + e.getMessage(), e);
      }
    }
  }

  /** Images in a folder and the folders below it; links to folders are not followed. */
  final class Folder implements PictureStore {
    private final Path root;
    private final List<String> paths;

    Folder(Path root) {
      this.root = root;
      try (Stream<Path> files = Files.walk(root, 16)) {
        paths =
            files
                .filter(Files::isRegularFile)
                .map(f -> root.relativize(f).toString().replace('\\', '/'))
                .filter(PictureStore::isImage)
                .limit(MOST_FILES + 1L)
                .sorted()
                .toList();
      } catch (IOException | java.io.UncheckedIOException e) {
        throw new DataException(root + " cannot be listed: " + e.getMessage(), e);
      }
      if (paths.size() > MOST_FILES) {
        throw new FormatException(root + " has more than " + MOST_FILES + " images");
      }
    }

    @Override
    public List<String> paths() {
      return paths;
    }

    @Override
    public byte[] read(String path) {
      try (InputStream in = Files.newInputStream(root.resolve(path))) {
        return readLimited(in, where(path));
      } catch (NoSuchFileException e) {
        throw new DataException(where(path) + " does not exist", e);
      } catch (IOException e) {
        throw new DataException(where(path) + " cannot be read: " + e.getMessage(), e);
      }
    }

    @Override
    public String where(String path) {
      return root.resolve(path).toString();
    }

    @Override
    public void close() {}
  }
}
