package dev.vauban.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in the README compiles against the library as it is. */
class ReadmeTest {
  @TempDir Path folder;

  @Test
  void theProgramCompiles() throws Exception {
    Path readme = Path.of("../README.md");
    assumeTrue(Files.exists(readme), "README.md is read from the module's folder");
    String text = Files.readString(readme);
    int begin = text.indexOf("```java\n") + 8;
    assertThat(begin).isGreaterThan(8);
    String program =
        """
        import dev.vauban.adversarial.*;
        import dev.vauban.meta.*;
        import dev.vauban.nn.*;
        import dev.vauban.nn.data.*;
        import dev.vauban.tensor.*;
        import java.nio.file.Path;

        class Program {
          public static void main(String[] arguments) {
            %s
          }
        }
        """
            .formatted(text.substring(begin, text.indexOf("```", begin)));
    Path source = Files.writeString(folder.resolve("Program.java"), program);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    assumeTrue(compiler != null, "a JRE has no compiler");
    // Surefire's class path may be a manifest; the module path is where modules are tested.
    String path =
        System.getProperty("java.class.path")
            + java.io.File.pathSeparator
            + System.getProperty("jdk.module.path", "");
    StringWriter said = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                said,
                null,
                null,
                List.of("-proc:none", "-cp", path, "-d", folder.toString()),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(source))
            .call();
    assertThat(compiled).as(said.toString()).isTrue();
  }
}
