package dev.vauban.natives.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What was quickest on a card, on disk: one small file for each question and for all that the
 * answer depends on (card, library versions). Several processes may share a folder. Whoever reads
 * an answer checks that it is one.
 */
public final class CardChoices {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private final Path folder;
  private final String machine;

  /**
   * Answers in a folder, which is made when needed.
   *
   * @param folder where; null for nowhere
   * @param machine what all answers depend on beside their questions
   */
  public CardChoices(Path folder, String machine) {
    this.folder = folder;
    this.machine = machine;
  }

  /**
   * The answer that was kept, if it has this size.
   *
   * @param question what was measured
   */
  public Optional<byte[]> find(String question, int bytes) {
    if (folder == null || !Files.exists(file(question))) {
      return Optional.empty();
    }
    try {
      byte[] answer = Files.readAllBytes(file(question));
      return answer.length == bytes ? Optional.of(answer) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // measured again
    }
  }

  /** Keeps an answer; where the folder cannot be written it is measured again next time. */
  public void keep(String question, byte[] answer) {
    if (folder == null) {
      return;
    }
    try {
      Files.createDirectories(folder);
      Path part = Files.createTempFile(folder, "part", ".tmp");
      try {
        Files.write(part, answer);
        Files.move(
            part,
            file(question),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      LOG.log(
          System.Logger.Level.DEBUG, "a choice cannot be kept in {0}: {1}", folder, e.getMessage());
    }
  }

  private Path file(String question) {
    byte[] key = (machine + "\n" + question).getBytes(StandardCharsets.UTF_8);
    return folder.resolve(HexFormat.of().formatHex(KernelCache.sha256().digest(key)) + ".choice");
  }
}
