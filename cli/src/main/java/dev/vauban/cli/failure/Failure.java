package dev.vauban.cli.failure;

import dev.vauban.natives.NativeException;
import dev.vauban.nn.IoReason;
import dev.vauban.nn.data.DataException;
import dev.vauban.tensor.FormatException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.ZipException;

/**
 * How a command failed, in the form a user sees. {@link #of} is the one place where exceptions
 * become exit codes.
 *
 * @param code the exit code
 * @param sentence one sentence: what is wrong, where, what would be right
 */
public record Failure(ExitCode code, String sentence) {

  /** The failure that {@code thrown} means to the user. */
  public static Failure of(Throwable thrown) {
    return switch (thrown) {
      case CommandException e -> new Failure(e.code(), e.getMessage());
      case FormatException e -> new Failure(ExitCode.BAD_INPUT, e.getMessage());
      case DataException e -> new Failure(ExitCode.BAD_INPUT, e.getMessage());
      case UncheckedIOException e -> ofIo(e.getCause());
      case IOException e -> ofIo(e);
      case OutOfMemoryError e -> outOfMemory(e);
      case LinkageError e -> ofLinkage(e);
      case NativeException e -> new Failure(ExitCode.ENVIRONMENT, e.getMessage());
      default -> bug(thrown);
    };
  }

  /** The failure of writing {@code target}, as the exception that ends the command. */
  public static CommandException writing(Path target, IOException e) {
    if (isDiskFull(e)) {
      return CommandException.failed(
          "no space left on the disk while writing " + target + "; what was there before is kept",
          e);
    }
    return CommandException.badInput(
        "cannot write " + target + ": " + reason(e) + "; choose a folder that you can write to", e);
  }

  /** Whether {@code e} says that a disk or a quota is full. */
  public static boolean isDiskFull(IOException e) {
    String text = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return text.contains("no space left")
        || text.contains("not enough space")
        || text.contains("quota exceeded")
        || text.contains("file too large");
  }

  /** The reason in {@code e} in words, without the path that most messages lead with. */
  public static String reason(IOException e) {
    return IoReason.of(e);
  }

  private static Failure ofIo(IOException e) {
    if (isDiskFull(e)) {
      return new Failure(ExitCode.FAILED, "no space left on the disk: " + e.getMessage());
    }
    return switch (e) {
      case NoSuchFileException missing ->
          new Failure(ExitCode.BAD_INPUT, "no such file or folder: " + missing.getFile());
      case FileNotFoundException missing ->
          new Failure(ExitCode.BAD_INPUT, "cannot open " + missing.getMessage());
      case AccessDeniedException denied ->
          new Failure(ExitCode.BAD_INPUT, denied.getFile() + ": permission denied");
      case FileSystemException file -> new Failure(ExitCode.BAD_INPUT, file.getMessage());
      case ZipException zip ->
          new Failure(ExitCode.BAD_INPUT, "not a readable zip archive: " + zip.getMessage());
      default -> new Failure(ExitCode.FAILED, "input or output failed: " + reason(e));
    };
  }

  private static Failure outOfMemory(OutOfMemoryError e) {
    return new Failure(
        ExitCode.ENVIRONMENT,
        "out of memory ("
            + e.getMessage()
            + "); use a smaller batch, or give the JVM more (VAUBAN_JAVA_OPTS=-Xmx8g)");
  }

  private static Failure ofLinkage(LinkageError e) {
    if (String.valueOf(e.getMessage()).contains("jdk/incubator/vector")) {
      return new Failure(
          ExitCode.ENVIRONMENT,
          "the Vector API is not enabled; start the JVM with --add-modules jdk.incubator.vector"
              + " (the vauban launcher does)");
    }
    if (e instanceof UnsatisfiedLinkError) {
      return new Failure(ExitCode.ENVIRONMENT, "a native library does not load: " + e.getMessage());
    }
    return bug(e);
  }

  private static Failure bug(Throwable thrown) {
    String message = thrown.getMessage() == null ? "" : ": " + firstLine(thrown.getMessage());
    return new Failure(
        ExitCode.BUG,
        "this is a bug in Vauban (" + thrown.getClass().getSimpleName() + message + ")");
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
