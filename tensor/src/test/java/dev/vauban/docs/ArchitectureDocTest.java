package dev.vauban.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.natives.onednn.OneDnn;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Keeps the worked example of {@code docs/architecture.md} equal to what {@link Example} is and
 * prints. After a change: {@code mvn test -pl tensor -am -Dtest=ArchitectureDocTest
 * -Dvauban.docs.write=true -Dsurefire.failIfNoSpecifiedTests=false} on a machine with AVX-512, then
 * read whether the remarks below each print still hold.
 */
class ArchitectureDocTest {
  private static final Path ROOT = Path.of(System.getProperty("vauban.root", ".."));
  private static final Path PAGE = ROOT.resolve("docs/architecture.md");
  private static final String SOURCE = "tensor/src/test/java/dev/vauban/docs/Example.java";

  /** The code block after {@code mark} must be {@code text}. */
  private static void pin(String mark, String text) throws IOException {
    String page = Files.readString(PAGE);
    int after = page.indexOf(mark);
    assertThat(after).as("'%s' in %s", mark, PAGE).isNotNegative();
    int from = page.indexOf('\n', page.indexOf("\n```", after) + 1) + 1;
    int to = page.indexOf("```\n", from);
    if (Boolean.getBoolean("vauban.docs.write")) {
      Files.writeString(PAGE, page.substring(0, from) + text + page.substring(to));
    } else {
      assertThat(unplaced(page.substring(from, to)))
          .as("what is printed after '%s'", mark)
          .isEqualTo(unplaced(text));
    }
  }

  /** Equal constants are one node in all of a process: the line is where the first was made. */
  private static String unplaced(String print) {
    return print.replaceAll("(?m)( fill .*?)   # .*$", "$1");
  }

  @Test
  void theExampleIsShownWordForWord() throws IOException {
    List<String> source = Files.readAllLines(ROOT.resolve(SOURCE));
    List<String> shown =
        source.subList(
            source.indexOf("  // The page begins") + 1, source.indexOf("  // The page ends"));
    pin(
        "## A worked example",
        shown.stream()
            .map(line -> line.startsWith("  ") ? line.substring(2) : line)
            .collect(Collectors.joining("\n", "", "\n")));
  }

  @Test
  void theGraphIsShownAsItIsPrinted() throws IOException {
    pin("`program.toString()`:", Example.program().toString());
  }

  /** oneDNN chooses its kernels by the processor: the page shows those for AVX-512. */
  @Test
  void thePlanIsShownAsItIsPrinted() throws IOException {
    OneDnn.Status oneDnn = OneDnn.status();
    assumeTrue(
        oneDnn.available()
            && oneDnn.choice().equals("bundled")
            && oneDnn.isa().startsWith("avx512"),
        () -> "SKIPPED: the page shows a plan with bundled oneDNN on AVX-512; here is " + oneDnn);
    assumeTrue(
        Integer.getInteger("vauban.vector.bits") == null,
        "SKIPPED: the page shows a plan with vectors of the usual width");
    try (Device device = Device.open("cpu:2");
        Plan plan = device.compile(Example.program())) {
      pin("`plan.toString()`:", plan.toString());
    }
  }
}
