package dev.vauban.natives.cuda;

import dev.vauban.natives.load.BundledLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Compiled kernels on disk, by content: the source, the options, the architecture and the
 * compiler's version. Several threads and processes may share a folder; a damaged entry is compiled
 * again. A folder that cannot be written costs the compiling anew each time, and one warning.
 */
public final class KernelCache {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private static final int DIGEST_BYTES = 32;

  private final Path folder;
  private final Nvrtc compiler;
  private final AtomicInteger compiled = new AtomicInteger();
  private final AtomicBoolean warned = new AtomicBoolean();

  /** A cache in this folder, which is made when needed. */
  public KernelCache(Path folder, Nvrtc compiler) {
    this.folder = folder;
    this.compiler = compiler;
  }

  /** The folder of this user: {@code $XDG_CACHE_HOME/vauban/cuda}. */
  public static Path userFolder() {
    return BundledLibrary.userCache().resolve("cuda");
  }

  /** As {@link Nvrtc#compile}, from the disk where it was compiled before. */
  public byte[] compile(String source, String name, String architecture, List<String> options) {
    Path file = folder.resolve(key(source, architecture, options) + ".cubin");
    Optional<byte[]> known = read(file);
    if (known.isPresent()) {
      return known.get();
    }
    byte[] image = compiler.compile(source, name, architecture, options);
    compiled.incrementAndGet();
    write(file, image);
    return image;
  }

  /** How many programs this object compiled, that is, did not find. */
  public int compiled() {
    return compiled.get();
  }

  private String key(String source, String architecture, List<String> options) {
    MessageDigest digest = sha256();
    for (String part : List.of(compiler.version(), architecture, String.join("\n", options))) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return HexFormat.of().formatHex(digest.digest(source.getBytes(StandardCharsets.UTF_8)));
  }

  /** The image, if the file is there and its checksum, which stands first, is right. */
  private static Optional<byte[]> read(Path file) {
    try {
      byte[] entry = Files.readAllBytes(file);
      if (entry.length > DIGEST_BYTES) {
        byte[] image = Arrays.copyOfRange(entry, DIGEST_BYTES, entry.length);
        if (Arrays.equals(entry, 0, DIGEST_BYTES, sha256().digest(image), 0, DIGEST_BYTES)) {
          return Optional.of(image);
        }
      }
      LOG.log(System.Logger.Level.INFO, "{0} is damaged; it is compiled again", file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.INFO, "{0} cannot be read ({1})", file, e.getMessage());
    }
    return Optional.empty();
  }

  /** Under a temporary name first: whoever finds the final name finds a whole file. */
  private void write(Path file, byte[] image) {
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "part", ".tmp");
      try {
        byte[] entry = Arrays.copyOf(sha256().digest(image), DIGEST_BYTES + image.length);
        System.arraycopy(image, 0, entry, DIGEST_BYTES, image.length);
        Files.write(part, entry);
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      if (warned.compareAndSet(false, true)) {
        LOG.log(
            System.Logger.Level.WARNING,
            "compiled kernels cannot be kept in {0} ({1}); they are compiled anew each time",
            folder,
            e.getMessage());
      }
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
