package dev.vauban.cli.run;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a command will write when its work is done. Checked before the work, so that hours are not
 * lost to a misspelt folder; nothing is left behind by the check.
 */
public final class OutputPath {
  private OutputPath() {}

  /**
   * Checks that {@code file} can be written; its folder must exist.
   *
   * @param option as the user writes it, for example {@code --out}
   * @throws CommandException exit 2 with a sentence, if it cannot
   */
  public static void requireFile(String option, Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw CommandException.badInput(option + " " + file + ": this is a folder; name a file");
    }
    if (!Files.isDirectory(folder)) {
      throw CommandException.badInput(option + " " + file + ": there is no folder " + folder);
    }
    probe(option, file, folder);
  }

  /**
   * Checks that {@code folder} can be written to, or made where it is missing.
   *
   * @param option as the user writes it
   * @throws CommandException exit 2 with a sentence, if it cannot
   */
  public static void requireFolder(String option, Path folder) {
    Path existing = folder.toAbsolutePath();
    while (!Files.exists(existing)) {
      existing = existing.getParent();
    }
    if (!Files.isDirectory(existing)) {
      throw refused(option, folder, existing, "it is a file", null);
    }
    probe(option, folder, existing);
  }

  /** Asks the system by trying: permissions alone do not tell, for example of read-only disks. */
  private static void probe(String option, Path wanted, Path folder) {
    try {
      Files.delete(Files.createTempFile(folder, ".vauban", ".tmp"));
    } catch (IOException e) {
      throw refused(option, wanted, folder, Failure.reason(e), e);
    }
  }

  private static CommandException refused(
      String option, Path wanted, Path existing, String reason, IOException cause) {
    return CommandException.badInput(
        "%s %s: cannot write to %s: %s; choose a folder that you can write to"
            .formatted(option, wanted, existing, reason),
        cause);
  }
}
