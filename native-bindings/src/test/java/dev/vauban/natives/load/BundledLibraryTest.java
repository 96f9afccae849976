package dev.vauban.natives.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.NativeException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unpacking: once, whole, and by several processes at a time. */
class BundledLibraryTest {
  @TempDir Path cache;

  @BeforeEach
  void needsTheBundledPlatform() {
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "SKIPPED, the class path bundles oneDNN for linux-x86_64 only");
  }

  /** What the competing processes run. */
  static final class Unpack {
    public static void main(String[] arguments) throws IOException {
      Path library = BundledLibrary.unpack(Path.of(arguments[0]));
      // Whoever gets the path must find a whole library there, at that moment.
      OneDnnLibrary opened = OneDnnLibrary.open(library.toString());
      System.out.println("opened " + opened.version() + " of " + Files.size(library) + " bytes");
    }
  }

  @Test
  void processesUnpackingAtOnceAllGetAWholeLibrary() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(Fork.start(Unpack.class, List.of(), Map.of(), cache.toString()));
    }
    List<String> outputs = new ArrayList<>();
    for (Process process : processes) {
      Fork.Result result = Fork.finish(process);
      assertThat(result.exit()).as(result.output()).isZero();
      outputs.add(result.output());
    }
    assertThat(outputs).allMatch(line -> line.startsWith("opened 3."));
    assertThat(outputs.stream().distinct()).hasSize(1);
    assertThat(names(folder())).containsExactlyInAnyOrder("libdnnl.so.3", "libgomp.so.1");
  }

  @Test
  void unpacksOnceRepairsATruncatedFileAndRemovesLeftovers() throws Exception {
    Path library = BundledLibrary.unpack(cache);
    long size = Files.size(library);
    FileTime stamp = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
    Files.setLastModifiedTime(library, stamp);
    assertThat(BundledLibrary.unpack(cache)).isEqualTo(library);
    assertThat(Files.getLastModifiedTime(library)).as("written again").isEqualTo(stamp);

    try (FileChannel channel = FileChannel.open(library, StandardOpenOption.WRITE)) {
      channel.truncate(size / 2);
    }
    Path abandoned = Files.createFile(folder().resolve(".libdnnl.so.3.1.2.tmp"));
    Files.setLastModifiedTime(abandoned, stamp);
    Path recent = Files.createFile(folder().resolve(".libdnnl.so.3.3.4.tmp"));
    Files.setLastModifiedTime(recent, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    BundledLibrary.unpack(cache);
    assertThat(Files.size(library)).isEqualTo(size);
    assertThat(abandoned).doesNotExist();
    assertThat(recent).as("another process may be writing it").exists();
  }

  @Test
  void aCacheThatCannotBeWrittenSaysWhatToSet() throws Exception {
    Path file = Files.createFile(cache.resolve("occupied"));
    assertThatThrownBy(() -> BundledLibrary.unpack(file))
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith("the bundled oneDNN cannot be unpacked to " + file)
        .hasMessageContaining("set the environment variable XDG_CACHE_HOME");
  }

  private Path folder() {
    return cache.resolve("onednn-3.11-1.5.13");
  }

  private static List<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
