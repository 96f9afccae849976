package dev.vauban.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.terminal.Console.Ink;
import dev.vauban.cli.terminal.Console.Look;
import dev.vauban.cli.terminal.Console.Screen;
import dev.vauban.cli.terminal.Console.Verbosity;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
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
  void eachStreamHasItsOwnColours() {
    Map<String, String> none = Map.of();
    assertThat(Console.of(none, false, true).look()).isEqualTo(Look.PLAIN);
    assertThat(Console.of(none, false, true).errLook()).isEqualTo(Look.COLOUR);
    assertThat(Console.of(none, true, false).look()).isEqualTo(Look.COLOUR);
    assertThat(Console.of(none, true, false).errLook()).isEqualTo(Look.PLAIN);
    for (Map<String, String> plain : List.of(Map.of("NO_COLOR", "1"), Map.of("TERM", "dumb"))) {
      assertThat(Console.of(plain, true, true).look()).isEqualTo(Look.PLAIN);
      assertThat(Console.of(plain, true, true).errLook()).isEqualTo(Look.PLAIN);
    }
    // `vauban ... > table` on a terminal, and `vauban ... 2> log`.
    console(Look.PLAIN, Look.COLOUR).error("broken");
    assertThat(err.toString(StandardCharsets.UTF_8))
        .startsWith("\u001b[31mvauban: \u001b[0mbroken");
    err.reset();
    console(Look.COLOUR, Look.PLAIN).error("broken");
    assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("vauban: broken");
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
    return console(look, look);
  }

  private Console console(Look look, Look errLook) {
    return new Console(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        look,
        errLook,
        Screen.LINES,
        80,
        Verbosity.NORMAL);
  }
}
