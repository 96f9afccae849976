package dev.vauban.natives.onednn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.load.BundledLibrary;
import dev.vauban.natives.load.Fork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which library a process uses: property before environment, and what happens when it fails. */
class ChoiceTest {
  @TempDir Path folder;

  @BeforeEach
  void needsTheBundledPlatform() {
    Assumptions.assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "SKIPPED, the class path bundles oneDNN for linux-x86_64 only");
  }

  /** Prints what the three ways to ask for oneDNN answer. */
  static final class Ask {
    public static void main(String[] arguments) {
      System.out.println(OneDnn.status());
      try {
        System.out.println("find: " + OneDnn.find().isPresent());
      } catch (NativeException e) {
        System.out.println("find: " + e.getMessage());
      }
      try {
        System.out.println("get: " + (OneDnn.get() != null));
      } catch (NativeException e) {
        System.out.println("get: " + e.getMessage());
      }
    }
  }

  private static String ask(Map<String, String> environment, String... options) throws Exception {
    Fork.Result result = Fork.finish(Fork.start(Ask.class, List.of(options), environment));
    assertThat(result.exit()).as(result.output()).isZero();
    return result.output();
  }

  @Test
  void bundledUnlessSaidOtherwise() throws Exception {
    assertThat(ask(Map.of("VAUBAN_ONEDNN", "")))
        .contains("state=READY, choice=bundled")
        .contains("threads=1, reason=, remedy=]")
        .contains("find: true")
        .contains("get: true");
  }

  @Test
  void offIsNoErrorUntilItIsNeeded() throws Exception {
    assertThat(ask(Map.of("VAUBAN_ONEDNN", "off")))
        .contains("state=OFF, choice=off")
        .contains("find: false")
        .contains("get: oneDNN is not used: it is switched off by vauban.onednn=off");
  }

  @Test
  void thePropertyWinsOverTheEnvironment() throws Exception {
    assertThat(ask(Map.of("VAUBAN_ONEDNN", "off"), "-Dvauban.onednn=bundled"))
        .contains("state=READY, choice=bundled");
  }

  @Test
  void aLibraryThatWasAskedForAndFailsIsAnError() throws Exception {
    String why = "oneDNN cannot be loaded from /nowhere/libdnnl.so: there is no such file";
    assertThat(ask(Map.of(), "-Dvauban.onednn=/nowhere/libdnnl.so"))
        .contains("state=REFUSED, choice=/nowhere/libdnnl.so")
        .contains("reason=" + why)
        .contains("find: " + why)
        .contains("get: " + why);
  }

  @Test
  void theDefaultThatFailsIsAWarning() throws Exception {
    // A file where the cache folder should be: what a full or read-only home comes to.
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(ask(Map.of("XDG_CACHE_HOME", file.toString())))
        .contains("state=ABSENT, choice=bundled")
        .contains("remedy=set the environment variable XDG_CACHE_HOME")
        .contains(
            "WARNING: running without oneDNN: the bundled oneDNN cannot be unpacked to " + file)
        .contains("find: false")
        .contains("get: the bundled oneDNN cannot be unpacked to " + file);
  }

  @Test
  void anUnpackedLibraryCanBeNamedByItsPath() throws Exception {
    String path = BundledLibrary.unpack(BundledLibrary.userCache()).toString();
    assertThat(ask(Map.of(), "-Dvauban.onednn=" + path))
        .contains("state=READY, choice=" + path + ", path=" + path);
  }
}
