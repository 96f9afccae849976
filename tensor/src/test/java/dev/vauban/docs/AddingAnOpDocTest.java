package dev.vauban.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code docs/adding-an-op.md} is right: its scalar function fits into {@code ScalarFn}, and javac
 * then refuses the switches that the page names and no others.
 */
class AddingAnOpDocTest {
  private static final Path ROOT = Path.of(System.getProperty("vauban.root", ".."));
  private static final Path SOURCES = ROOT.resolve("tensor/src/main/java");
  private static final Path ENUM = SOURCES.resolve("dev/vauban/tensor/ScalarFn.java");

  @Test
  void javacRefusesTheSwitchesThatThePageNames(@TempDir Path folder) throws IOException {
    String page = Files.readString(ROOT.resolve("docs/adding-an-op.md"));
    int from = page.indexOf("```java\n") + "```java\n".length();
    String constant = page.substring(from, page.indexOf("```", from));
    assertThat(constant.strip()).startsWith("SOFTSIGN(").endsWith("),");
    String source = Files.readString(ENUM);
    assertThat(source).contains("\n  NEG(");
    String extended = source.replace("\n  NEG(", "\n" + constant + "  NEG(");

    Map<String, List<String>> refused = new TreeMap<>();
    for (Diagnostic<? extends JavaFileObject> error : errors(folder, extended)) {
      assertThat(error.getSource()).as(error.toString()).isNotNull();
      String file = Path.of(error.getSource().getName()).getFileName().toString();
      refused.computeIfAbsent(file, f -> new ArrayList<>()).add(error.getCode());
    }
    assertThat(refused.values())
        .allSatisfy(codes ->
            assertThat(codes).singleElement().asString().startsWith("compiler.err.not.exhaustive"));
    assertThat(refused.keySet())
        .containsExactly("LoopPlan.java", "ScalarCode.java", "Scalars.java", "VectorCode.java");
    String step = page.substring(page.indexOf("3. javac"), page.indexOf("4. Nothing else"));
    assertThat(step)
        .contains(
            "`LoopPlan.cost`", "`ScalarCode.apply`", "`Scalars.apply`", "`VectorCode.compute`")
        .contains("three switches of the CPU backend and one of the CUDA backend");
  }

  /** A switch without a default must name every constant; so these are all such switches. */
  private static boolean namesAllConstants(Path file) {
    try {
      return Files.readString(file).matches("(?s).*\\bRSQRT\\b.*");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What javac says to this module with another {@code ScalarFn}. */
  private static List<Diagnostic<? extends JavaFileObject>> errors(Path folder, String scalarFn)
      throws IOException {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    try (StandardJavaFileManager files = javac.getStandardFileManager(found, null, null);
        Stream<Path> all = Files.walk(SOURCES)) {
      List<Path> others =
          all.filter(f -> f.toString().endsWith(".java"))
              .filter(f -> !f.equals(ENUM) && namesAllConstants(f))
              .toList();
      List<JavaFileObject> units = new ArrayList<>();
      files.getJavaFileObjectsFromPaths(others).forEach(units::add);
      units.add(
          new SimpleJavaFileObject(
              URI.create("string:///ScalarFn.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
              return scalarFn;
            }
          });
      List<String> options =
          List.of(
              "-d",
              folder.toString(),
              "-classpath",
              System.getProperty("java.class.path"),
              "--add-modules",
              "jdk.incubator.vector",
              "-proc:none",
              "--should-stop=ifError=FLOW"); // the switches of all files, not of the first alone
      javac.getTask(null, files, found, options, null, units).call();
    }
    return found.getDiagnostics().stream()
        .filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
        .toList();
  }
}
