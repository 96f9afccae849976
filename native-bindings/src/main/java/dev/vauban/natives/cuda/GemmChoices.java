package dev.vauban.natives.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The algorithms that were fastest, on disk: one small file per product, card and library version.
 * What is in a file is checked by the library before it is used.
 */
final class GemmChoices {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private static final int ALGORITHM_BYTES = 64;

  private final Path folder;
  private final String machine;

  /**
   * @param folder where; null for nowhere
   * @param machine what the choices depend on beside the product
   */
  GemmChoices(Path folder, String machine) {
    this.folder = folder;
    this.machine = machine;
  }

  Optional<byte[]> find(GemmSpec spec) {
    if (folder == null || !Files.exists(file(spec))) {
      return Optional.empty();
    }
    try {
      byte[] bytes = Files.readAllBytes(file(spec));
      return bytes.length == ALGORITHM_BYTES ? Optional.of(bytes) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // measured again
    }
  }

  void keep(GemmSpec spec, byte[] algorithm) {
    if (folder == null) {
      return;
    }
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "part", ".tmp");
      Files.write(part, algorithm);
      Files.move(
          part, file(spec), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.DEBUG, "a choice cannot be kept in {0}: {1}", folder, e.getMessage());
    }
  }

  private Path file(GemmSpec spec) {
    byte[] key = (machine + "\n" + spec).getBytes(StandardCharsets.UTF_8);
    return folder.resolve(HexFormat.of().formatHex(KernelCache.sha256().digest(key)) + ".gemm");
  }
}
