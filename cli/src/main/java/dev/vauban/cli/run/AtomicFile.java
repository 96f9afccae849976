package dev.vauban.cli.run;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes whole files so that a reader, a crash or a full disk never meets half of one: the content
 * goes to a temporary file beside the target, is forced to the disk, and takes the target's name in
 * one step. Until then the previous file stands untouched.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes a file's content to a path. */
  @FunctionalInterface
  public interface Body {
    /** Writes everything to {@code temporary}, which does not exist yet. */
    void write(Path temporary) throws IOException;
  }

  /**
   * Replaces {@code target} by what {@code body} writes.
   *
   * @throws CommandException exit 1 if the disk is full, exit 2 if the folder cannot be written
   */
  public static void write(Path target, Body body) {
    Path temporary =
        target.resolveSibling("." + target.getFileName() + "." + ProcessHandle.current().pid());
    try {
      Files.deleteIfExists(temporary);
      body.write(temporary);
      force(temporary);
      move(temporary, target);
      forceFolder(target.toAbsolutePath().getParent());
    } catch (IOException e) {
      throw Failure.writing(target, e);
    } catch (UncheckedIOException e) {
      throw Failure.writing(target, e.getCause());
    } finally {
      discard(temporary);
    }
  }

  /** Replaces {@code target} by {@code text} in UTF-8. */
  public static void write(Path target, String text) {
    write(target, temporary -> Files.write(temporary, text.getBytes(StandardCharsets.UTF_8)));
  }

  private static void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      // Some network file systems; a plain rename within one folder is the best they offer.
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Makes the rename itself durable. Not every system can open a folder; that is no failure. */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      System.getLogger(AtomicFile.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot force the folder " + folder, e);
    }
  }

  private static void discard(Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      System.getLogger(AtomicFile.class.getName())
          .log(System.Logger.Level.DEBUG, "cannot delete " + temporary, e);
    }
  }
}
