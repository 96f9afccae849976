package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every block of Java in the README and the pages stands word for word in a source that the build
 * compiles with the tests, indented or not. A new block needs such a source: a program of its own,
 * or a method of {@code example.Snippets}.
 */
class DocSnippetsTest {
  private static final Path ROOT = Path.of(System.getProperty("vauban.root", ".."));

  /** Its block is part of an enumeration of Vauban: AddingAnOpDocTest compiles it there. */
  private static final Path PART_OF_VAUBAN = Path.of("docs/adding-an-op.md");

  @Test
  void everyBlockOfJavaIsCompiled() throws IOException {
    List<List<String>> sources = new ArrayList<>();
    for (String module : List.of("tensor", "nn", "adversarial", "meta")) {
      for (Path file : files(ROOT.resolve(module + "/src/test/java"), ".java")) {
        sources.add(Files.readAllLines(file));
      }
    }
    int blocks = 0;
    for (Path page : pages()) {
      for (List<String> block : blocks(Files.readAllLines(page))) {
        blocks++;
        assertThat(sources)
            .as("%s: no test source holds\n%s", page, String.join("\n", block))
            .anyMatch(source -> holds(source, block));
      }
    }
    assertThat(blocks).isGreaterThanOrEqualTo(8);
  }

  /** The comparison itself: words, order and inner indentation count, the outer does not. */
  @Test
  void aBlockIsHeldWordForWordOnly() {
    List<String> source = List.of("class A {", "  int a() {", "    return 1;", "  }", "", "}");
    assertThat(holds(source, List.of("int a() {", "  return 1;", "}"))).isTrue();
    assertThat(holds(source, List.of("  }", "", "}"))).isTrue();
    assertThat(holds(source, List.of("int a() {", "return 1;", "}"))).isFalse();
    assertThat(holds(source, List.of("int a() {", "  return 2;", "}"))).isFalse();
    assertThat(holds(source, List.of("int a() {", "}"))).isFalse();
    assertThat(blocks(List.of("1. x:", "   ```java", "   f(", "     1);", "   ```", "```", "```")))
        .containsExactly(List.of("f(", "  1);"));
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    pages.addAll(files(ROOT.resolve("docs"), ".md"));
    pages.addAll(files(ROOT.resolve("bench/gpu-check"), ".md"));
    pages.remove(ROOT.resolve(PART_OF_VAUBAN));
    return pages;
  }

  private static List<Path> files(Path folder, String ending) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  /** What stands between a line of {@code ```java} and the next of {@code ```}. */
  private static List<List<String>> blocks(List<String> page) {
    List<List<String>> blocks = new ArrayList<>();
    for (int i = 0; i < page.size(); i++) {
      if (page.get(i).strip().equals("```java")) {
        int margin = page.get(i).indexOf('`');
        List<String> block = new ArrayList<>();
        for (i++; !page.get(i).strip().equals("```"); i++) {
          block.add(page.get(i).isBlank() ? "" : page.get(i).substring(margin));
        }
        blocks.add(block);
      }
    }
    return blocks;
  }

  private static boolean holds(List<String> source, List<String> block) {
    for (String margin : List.of("", "  ", "    ")) {
      List<String> indented =
          block.stream().map(line -> line.isEmpty() ? "" : margin + line).toList();
      if (Collections.indexOfSubList(source, indented) >= 0) {
        return true;
      }
    }
    return false;
  }
}
