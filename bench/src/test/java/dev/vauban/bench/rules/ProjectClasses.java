package dev.vauban.bench.rules;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The compiled main classes of every module, as the build that runs these tests left them. */
final class ProjectClasses {
  /** The modules, each of which may use only those before it. */
  static final List<String> MODULES =
      List.of("native-bindings", "tensor", "nn", "adversarial", "meta", "cli", "bench");

  private ProjectClasses() {}

  /** The folder of compiled classes of each module, in the order of {@link #MODULES}. */
  static List<Path> folders() {
    Path root = root();
    return MODULES.stream().map(module -> root.resolve(module).resolve("target/classes")).toList();
  }

  /** All class files of a folder, or none if it does not exist. */
  static List<Path> classFiles(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".class")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Maven passes the project's root; an IDE runs a test in the module's folder or in the root. */
  private static Path root() {
    Path start = Path.of(System.getProperty("vauban.root", "")).toAbsolutePath();
    for (Path folder = start; folder != null; folder = folder.getParent()) {
      if (Files.isExecutable(folder.resolve("mvnw"))) {
        return folder;
      }
    }
    throw new IllegalStateException("no project root (a folder with mvnw) above " + start);
  }
}
