package dev.vauban.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.terminal.Console.Ink;
import dev.vauban.cli.terminal.Console.Look;
import dev.vauban.cli.terminal.Console.Screen;
import dev.vauban.cli.terminal.Console.Verbosity;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void whatACharsetLacksIsSpelledInAscii() {
    assertThat(Console.fit("89 ± 1% – ✓ → …", StandardCharsets.US_ASCII))
        .isEqualTo("89 +- 1% - + -> ...");
    assertThat(Console.fit("89 ± 1% ✓", StandardCharsets.ISO_8859_1)).isEqualTo("89 ± 1% +");
    assertThat(Console.fit("文 ±", StandardCharsets.UTF_8)).isEqualTo("文 ±");
    assertThat(Console.fit("文", StandardCharsets.US_ASCII)).isEqualTo("?");
  }

  @Test
  void colourOnlyWhereItIsAllowed() {
    assertThat(console(Look.PLAIN).paint(Ink.RED, "x")).isEqualTo("x");
    assertThat(console(Look.COLOUR).paint(Ink.RED, "x")).isEqualTo("\u001b[31mx\u001b[0m");
    // A test's output is no terminal, with or without NO_COLOR.
    assertThat(Console.ofProcess(Map.of("NO_COLOR", "1")).look()).isEqualTo(Look.PLAIN);
  }

  @Test
  void quietSilencesNoticesButNotErrors() {
    Console quiet = console(Look.PLAIN).with(Verbosity.QUIET);
    quiet.notice("working");
    quiet.error("broken");
    quiet.result("done");
    assertThat(err.toString(StandardCharsets.UTF_8)).isEqualToIgnoringNewLines("vauban: broken");
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualToIgnoringNewLines("done");
  }

  private Console console(Look look) {
    return new Console(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        look,
        Screen.LINES,
        80,
        Verbosity.NORMAL);
  }
}
