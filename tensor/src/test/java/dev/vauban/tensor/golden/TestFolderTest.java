package dev.vauban.tensor.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** A wrong folder given on purpose must not give a green build. */
class TestFolderTest {
  @TempDir Path outside;

  private Path root() throws IOException {
    return Files.createDirectories(outside.resolve("project"));
  }

  @Test
  void theUsualFolderMayBeAbsent() throws IOException {
    Path root = root();
    for (String given : new String[] {null, ""}) { // a JVM without the build, and with it
      assertThatThrownBy(() -> TestFolder.GOLDEN.find("manifest.json", root, given))
          .isInstanceOf(TestAbortedException.class)
          .hasMessageContaining(
              "SKIPPED: there is no " + outside.resolve("shared/golden/manifest.json"));
    }
  }

  @Test
  void theUsualFolderMustBeThereIfItIsNamed() throws IOException {
    Path root = root();
    for (String given : new String[] {"../shared/golden", root + "/../shared/golden"}) {
      assertThatThrownBy(() -> TestFolder.GOLDEN.find("manifest.json", root, given))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("shared/golden has no manifest.json");
    }
  }

  @Test
  void aFolderThatIsNamedMustBeRight() throws IOException {
    Path root = root();
    assertThatThrownBy(() -> TestFolder.GOLDEN.find("manifest.json", root, "nowhere"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "-Dvauban.golden=nowhere: %s has no manifest.json; name a folder that has, or leave the"
                + " property away",
            root.resolve("nowhere"));
    Path empty = Files.createDirectories(outside.resolve("empty"));
    assertThatThrownBy(() -> TestFolder.DATA.find("mnist", root, empty.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(empty + " has no omniglot or cifar-fs");
  }

  @Test
  void itsContentIsFoundAndASingleSetMayBeMissing() throws IOException {
    Path root = root();
    Path mnist = Files.createDirectories(outside.resolve("sets/mnist"));
    assertThat(TestFolder.DATA.find("mnist", root, "../sets"))
        .satisfies(p -> assertThat(Files.isSameFile(p, mnist)).isTrue());
    assertThatThrownBy(() -> TestFolder.DATA.find("omniglot", root, "../sets"))
        .isInstanceOf(TestAbortedException.class);
  }
}
