package dev.vauban.tensor.golden;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Assumptions;

/**
 * Folders outside the project that some tests read. Where the usual one is absent the tests are
 * skipped; where somebody names another by the system property, it must be right.
 */
public enum TestFolder {
  /** Reference values: property {@code vauban.golden}. */
  GOLDEN("vauban.golden", "../shared/golden", "manifest.json"),

  /** Data sets, each in a folder: property {@code vauban.data}. */
  DATA("vauban.data", "../shared/data", "omniglot", "cifar-fs", "mnist", "fashion-mnist");

  private final String property;
  private final String usual;
  private final String[] contents;

  TestFolder(String property, String usual, String... contents) {
    this.property = property;
    this.usual = usual;
    this.contents = contents;
  }

  /**
   * The file or folder {@code name} in this folder; the test is skipped where there is none.
   *
   * @throws IllegalArgumentException if the property names a folder that has nothing of the kind
   */
  public Path find(String name) {
    return find(
        name, Path.of(System.getProperty("vauban.root", "..")), System.getProperty(property));
  }

  /**
   * Paths count from the project's {@code root}; the build passes an empty property where nobody
   * names a folder. Who names the usual one means it, too.
   */
  Path find(String name, Path root, String given) {
    boolean named = given != null && !given.isBlank();
    Path folder = root.resolve(named ? given : usual);
    if (named && Arrays.stream(contents).noneMatch(c -> Files.exists(folder.resolve(c)))) {
      throw new IllegalArgumentException(
          "-D%s=%s: %s has no %s; name a folder that has, or leave the property away"
              .formatted(
                  property,
                  given,
                  folder.toAbsolutePath().normalize(),
                  String.join(" or ", contents)));
    }
    Path found = folder.resolve(name);
    Assumptions.assumeTrue(
        Files.exists(found), () -> "SKIPPED: there is no " + found.toAbsolutePath().normalize());
    return found;
  }
}
