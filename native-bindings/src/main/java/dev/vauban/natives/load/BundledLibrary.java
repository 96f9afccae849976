package dev.vauban.natives.load;

import dev.vauban.natives.NativeException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * The oneDNN that travels on the class path, inside the jar {@code org.bytedeco:dnnl}.
 *
 * <p>A library can only be opened from a file, so it is unpacked once per user and version, to
 * {@code $XDG_CACHE_HOME/vauban/onednn-<version>} (default {@code ~/.cache}). Each file is written
 * under a temporary name and renamed when it is complete and on disk: whoever finds the final name,
 * in this process or another, finds a whole file.
 */
public final class BundledLibrary {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private static final String LIBRARY = "libdnnl.so.3";

  /** What the library needs beside it comes first: once the library is there, all of it is. */
  private static final List<String> FILES = List.of("libgomp.so.1", LIBRARY);

  private static final Duration ABANDONED = Duration.ofHours(24);

  private BundledLibrary() {}

  /** The folder this user's unpacked libraries live in; it need not exist. */
  public static Path userCache() {
    String configured = System.getenv("XDG_CACHE_HOME");
    // The XDG specification says to ignore a relative path.
    Path base =
        configured != null && Path.of(configured).isAbsolute()
            ? Path.of(configured)
            : Path.of(System.getProperty("user.home"), ".cache");
    return base.resolve("vauban");
  }

  /**
   * The library as a file, unpacked under {@code cache} if it is not there yet.
   *
   * @throws NativeException if the class path has no library for this machine, or the folder cannot
   *     be written
   */
  public static Path unpack(Path cache) {
    String folder = "org/bytedeco/dnnl/" + platform() + "/";
    Path target = cache.resolve("onednn-" + version());
    try {
      Files.createDirectories(target);
      for (String file : FILES) {
        URL resource = BundledLibrary.class.getClassLoader().getResource(folder + file);
        if (resource == null) {
          throw missing(folder + file);
        }
        copyOnce(resource, target.resolve(file));
      }
      removeAbandoned(target);
      return target.resolve(LIBRARY);
    } catch (IOException e) {
      throw new NativeException(
          "the bundled oneDNN cannot be unpacked to " + target + ": " + reason(e),
          "set the environment variable XDG_CACHE_HOME to a folder that can be written and has"
              + " 100 MB free, or use -Dvauban.onednn=off to run without oneDNN",
          e);
    }
  }

  /** The name that the jar uses for this machine. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String cpu = System.getProperty("os.arch");
    if (os.equals("linux") && cpu.equals("amd64")) {
      return "linux-x86_64";
    }
    if (os.equals("linux") && cpu.equals("aarch64")) {
      return "linux-arm64";
    }
    throw new NativeException(
        "no oneDNN is bundled for " + os + " on " + cpu,
        "install oneDNN 3 and give its file with -Dvauban.onednn=/path/to/the/library, or use"
            + " -Dvauban.onednn=off to run without it",
        null);
  }

  private static NativeException missing(String resource) {
    return new NativeException(
        "the class path has no " + resource,
        "add the jar org.bytedeco:dnnl:3.11-1.5.13 with the classifier "
            + platform()
            + ", give a library with -Dvauban.onednn=/path/to/libdnnl.so.3, or run without oneDNN"
            + " with -Dvauban.onednn=off",
        null);
  }

  private static String version() {
    String path = "META-INF/maven/org.bytedeco/dnnl/pom.properties";
    try (InputStream in = BundledLibrary.class.getClassLoader().getResourceAsStream(path)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return properties.getProperty("version", "unversioned");
    } catch (IOException e) {
      return "unversioned";
    }
  }

  private static void copyOnce(URL resource, Path target) throws IOException {
    URLConnection connection = resource.openConnection();
    // A cached jar connection would share, and close, the class loader's own open jar.
    connection.setUseCaches(false);
    try (InputStream in = connection.getInputStream()) {
      long size = connection.getContentLengthLong();
      if (Files.isRegularFile(target) && (size < 0 || Files.size(target) == size)) {
        return;
      }
      LOG.log(System.Logger.Level.DEBUG, "unpacking {0}", target);
      String name = "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".";
      Path temporary = Files.createTempFile(target.getParent(), name, ".tmp");
      try {
        write(in, temporary);
        Files.move(
            temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(temporary);
      }
    }
  }

  private static void write(InputStream in, Path file) throws IOException {
    try (ReadableByteChannel source = Channels.newChannel(in);
        FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
      while (source.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          out.write(buffer);
        }
        buffer.clear();
      }
      // Otherwise a power cut after the rename can leave a file of the right size and no content.
      out.force(true);
    }
  }

  /** Removes what a process killed in the middle of unpacking left behind. */
  private static void removeAbandoned(Path folder) {
    Instant limit = Instant.now().minus(ABANDONED);
    try (DirectoryStream<Path> leftovers = Files.newDirectoryStream(folder, ".*.tmp")) {
      for (Path file : leftovers) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "left-over files stay in " + folder, e);
    }
  }

  /** A file exception's message is only the path where the operating system gave no reason. */
  private static String reason(IOException e) {
    if (e instanceof FileSystemException f) {
      String reason = f.getReason();
      if (reason == null) {
        reason = f instanceof NoSuchFileException ? "no such file or folder" : kind(f);
      }
      return reason + " (" + f.getFile() + ")";
    }
    return e.getMessage();
  }

  /** AccessDeniedException becomes "access denied". */
  private static String kind(FileSystemException e) {
    String words = e.getClass().getSimpleName().replace("Exception", "");
    return words.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
  }
}
