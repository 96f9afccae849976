package dev.vauban.cli.progress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Console.Look;
import dev.vauban.cli.terminal.Console.Screen;
import dev.vauban.cli.terminal.Console.Verbosity;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final AtomicLong clock = new AtomicLong();

  @Test
  void aLineEveryTenSecondsWithRateTimeLeftAndMetrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", 0.83217);
    metrics.put("clean", 12.345);
    try (Progress progress = Progress.lines(console(), "train maml", 1500, "it", clock::get)) {
      for (int step = 1; step <= 100; step++) {
        clock.addAndGet(250_000_000L); // four a second
        progress.at(step, metrics);
      }
    }
    assertThat(said())
        .containsExactly(
            "train maml  40/1,500 it (2%)  4.00 it/s  ETA 6m05s  loss 0.832  clean 12.3",
            "train maml  80/1,500 it (5%)  4.00 it/s  ETA 5m55s  loss 0.832  clean 12.3",
            "train maml  100/1,500 it (6%)  4.00 it/s  ETA 5m50s  loss 0.832  clean 12.3");
  }

  @Test
  void aResumedRunCountsOnlyItsOwnSteps() {
    try (Progress progress = Progress.lines(console(), "train", 2000, "it", clock::get)) {
      for (int step = 1001; step <= 1010; step++) {
        clock.addAndGet(1_000_000_000L);
        progress.at(step);
      }
    }
    assertThat(said()).containsExactly("train  1,010/2,000 it (50%)  1.00 it/s  ETA 16m30s");
  }

  @Test
  void theEndSaysHowLongItTook() {
    try (Progress progress = Progress.lines(console(), "eval", 4, "ep", clock::get)) {
      for (int step = 1; step <= 4; step++) {
        clock.addAndGet(500_000_000L);
        progress.at(step);
      }
    }
    assertThat(said()).containsExactly("eval  4/4 ep (100%)  2.00 ep/s  2s");
  }

  @Test
  void nothingWhenQuiet() {
    Console quiet = console().with(Verbosity.QUIET);
    try (Progress progress = Progress.lines(quiet, "eval", 4, "ep", clock::get)) {
      clock.set(60_000_000_000L);
      progress.at(2);
    }
    assertThat(said()).isEmpty();
  }

  @Test
  void aBarOnATerminal() {
    Console terminal =
        new Console(System.out, stream(), Look.PLAIN, Screen.TERMINAL, 90, Verbosity.NORMAL);
    try (Progress progress = Progress.start(terminal, "train maml", 10, "it")) {
      progress.at(10, Map.of("loss", 0.5));
    }
    String drawn = err.toString(StandardCharsets.UTF_8);
    assertThat(drawn).contains("train maml", "100%", "10/10", "loss 0.500").contains("\r");
    for (String line : drawn.split("[\r\n]+")) {
      assertThat(line.length()).isLessThanOrEqualTo(90);
    }
  }

  @Test
  void timesAreShort() {
    assertThat(Progress.time(42.4)).isEqualTo("42s");
    assertThat(Progress.time(185)).isEqualTo("3m05s");
    assertThat(Progress.time(7620)).isEqualTo("2h07m");
  }

  private Console console() {
    return Console.plain(System.out, stream());
  }

  private PrintStream stream() {
    return new PrintStream(err, true, StandardCharsets.UTF_8);
  }

  private Iterable<String> said() {
    return err.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
