package dev.vauban.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  private static final Path FULL = Path.of("/dev/full");
  @TempDir Path folder;

  @Test
  void replacesTheWholeFile() throws Exception {
    Path file = folder.resolve("a");
    AtomicFile.write(file, "a longer first text");
    AtomicFile.write(file, "short");
    assertThat(file).hasContent("short");
    assertAlone(file);
  }

  @Test
  void aFullDiskKeepsThePreviousFile() throws Exception {
    assumeTrue(Files.exists(FULL), "no /dev/full on this system");
    Path file = folder.resolve("checkpoint");
    AtomicFile.write(file, "the previous state");
    // Half of the new content reaches the temporary file; then the system really says ENOSPC.
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                temporary -> {
                  Files.writeString(temporary, "half of the new st");
                  Files.writeString(FULL, "the rest");
                }))
        .isInstanceOfSatisfying(
            CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED))
        .hasMessage(
            "no space left on the disk while writing " + file + "; what was there before is kept");
    assertThat(file).hasContent("the previous state");
    assertAlone(file);
  }

  @Test
  void aBodyMayFailUnchecked() throws Exception {
    Path file = folder.resolve("a");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                temporary -> {
                  throw new UncheckedIOException(new IOException("Disk quota exceeded"));
                }))
        .isInstanceOfSatisfying(
            CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED));
    assertThat(file).doesNotExist();
  }

  @Test
  void aBugInTheBodyLeavesNoTemporaryFile() throws Exception {
    Path file = folder.resolve("a");
    AtomicFile.write(file, "before");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                temporary -> {
                  Files.writeString(temporary, "x");
                  throw new IllegalStateException("bug");
                }))
        .isInstanceOf(IllegalStateException.class);
    assertThat(file).hasContent("before");
    assertAlone(file);
  }

  @Test
  void anUnwritableFolderIsBadInput() {
    assertThatThrownBy(() -> AtomicFile.write(folder.resolve("missing").resolve("a"), "x"))
        .isInstanceOfSatisfying(
            CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.BAD_INPUT))
        .hasMessageContaining("cannot write " + folder.resolve("missing").resolve("a"));
    assertThatThrownBy(() ->
            AtomicFile.write(
                folder.resolve("a"),
                temporary -> {
                  throw new AccessDeniedException(temporary.toString());
                }))
        .hasMessageContaining("permission denied; choose a folder that you can write to");
  }

  private void assertAlone(Path file) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }
}
