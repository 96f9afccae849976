package dev.vauban.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.Main;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands that this module brings, as users type them. */
class CommandsTest {
  private String out;
  private String err;

  /** Each line: what is typed | what the one sentence says. All before any work. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bench --match [                   | --match [: not a regular expression: unclosed character class at character 1
          bench --threads 0                 | --threads 0: threads must be at least 1 and at most 999
          bench --threads 1,1000            | --threads 1000: threads must be at least 1 and at most 999
          bench --rounds 0                  | --rounds 0: rounds must be at least 1
          bench --warm -1                   | --warm -1: warm must be at least 0
          bench --only maml-27              | unknown row 'maml-27'; did you mean 'maml-28'?
          bench --out nowhere/x.json        | --out nowhere/x.json: there is no folder
          bench --out pom.xml/x.json        | --out pom.xml/x.json: there is no folder
          gates --data x --workers 0        | --workers 0: workers must be at least 1 and at most 999
          gates --data x --workers 1000     | --workers 1000: workers must be at least 1 and at most 999
          gates --data x --episodes 0       | --episodes 0: episodes must be at least 2
          gates --data x --short 0          | --short 0: short must be at least 1
          gates --data x --only maml-23     | unknown recipe 'maml-23'; did you mean 'maml-32'?
          gates --data x --out pom.xml/x    | --out pom.xml/x:
          gates --data x --work pom.xml     | pom.xml: it is a file; choose a folder that you can write to
          gates --data x --work /proc/x     | --work /proc/x: cannot write to /
          """)
  void badInputIsOneSentenceAndExit2(String typed, String sentence) {
    assertThat(run(typed.split(" "))).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(out).isEmpty();
    assertThat(err).startsWith("vauban: ").contains(sentence).doesNotContain("Exception");
    assertThat(err.lines()).hasSize(1);
  }

  @Test
  void rowsAreListed() {
    assertThat(run("bench", "--list")).isEqualTo(ExitCode.OK);
    assertThat(out).contains("maml-28", "kernels");
  }

  private ExitCode run(String... arguments) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    Console console =
        Console.plain(
            new PrintStream(stdout, true, StandardCharsets.UTF_8),
            new PrintStream(stderr, true, StandardCharsets.UTF_8));
    ExitCode code =
        Main.run(
            console,
            Map.of(),
            () -> {
              throw new AssertionError("these commands have no jobs");
            },
            new Interrupt(),
            arguments);
    out = stdout.toString(StandardCharsets.UTF_8);
    err = stderr.toString(StandardCharsets.UTF_8);
    return code;
  }
}
