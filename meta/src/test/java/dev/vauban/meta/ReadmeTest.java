package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.nn.Safetensors;
import dev.vauban.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's program compiles, runs, and is what the README prints. */
class ReadmeTest {
  private static final Path ROOT = Path.of(System.getProperty("vauban.root", ".."));

  @Test
  void theProgramIsPrintedWordForWord() throws Exception {
    List<String> source =
        Files.readAllLines(ROOT.resolve("meta/src/test/java/dev/vauban/meta/ReadmeProgram.java"));
    String program =
        source
            .subList(source.indexOf("  // README begins") + 1, source.indexOf("  // README ends"))
            .stream()
            .map(line -> line.startsWith("  ") ? line.substring(2) : line)
            .collect(Collectors.joining("\n"));
    assertThat(Files.readString(ROOT.resolve("README.md"))).contains(program);
  }

  @Test
  void theProgramTrains(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("weights.safetensors");
    ReadmeProgram.train(2, file);
    try (Scope scope = Scope.open()) {
      assertThat(Safetensors.read(file, scope).tensors().size()).isPositive();
    }
  }
}
