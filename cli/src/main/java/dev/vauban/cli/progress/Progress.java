package dev.vauban.cli.progress;

import dev.vauban.cli.terminal.Console;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * The progress of one piece of work, shown on standard error: a bar on a terminal, otherwise a line
 * every ten seconds, nothing when quiet. Shows the rate in items per second, the time left, and the
 * latest metrics.
 *
 * <pre>
 * try (Progress progress = Progress.start(console, "train rmaml-out", 1500, "it")) {
 *   progress.at(step, Map.of("loss", loss));
 * }
 * </pre>
 */
public final class Progress implements AutoCloseable {
  private static final long LINE_EVERY_NANOS = Duration.ofSeconds(10).toNanos();

  private final Console console;
  private final String task;
  private final long total;
  private final String unit;
  private final LongSupplier clock;
  private final ProgressBar bar;
  private final long begun;
  private long first = -1;
  private long done;
  private long lastLine;
  private long lastLineDone;
  private String metrics = "";

  private Progress(
      Console console, String task, long total, String unit, LongSupplier clock, ProgressBar bar) {
    this.console = console;
    this.task = task;
    this.total = total;
    this.unit = unit;
    this.clock = clock;
    this.bar = bar;
    this.begun = clock.getAsLong();
    this.lastLine = begun;
  }

  /**
   * Begins to show the progress of {@code total} items.
   *
   * @param task what is under way, e.g. {@code train maml}
   * @param unit what an item is called, e.g. {@code it} or {@code ep}
   */
  public static Progress start(Console console, String task, long total, String unit) {
    boolean drawn =
        console.screen() == Console.Screen.TERMINAL
            && console.verbosity() != Console.Verbosity.QUIET;
    return new Progress(
        console,
        task,
        total,
        unit,
        System::nanoTime,
        drawn ? bar(console, task, total, unit) : null);
  }

  /** Progress in lines, on a clock in nanoseconds that a test turns. */
  static Progress lines(Console console, String task, long total, String unit, LongSupplier clock) {
    return new Progress(console, task, total, unit, clock, null);
  }

  private static ProgressBar bar(Console console, String task, long total, String unit) {
    boolean blocks = console.err().charset().newEncoder().canEncode('█');
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(total)
        .setUnit(" " + unit, 1)
        .setStyle(blocks ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(250)
        .showSpeed()
        // An explicit width: asking the library to find it loads a native terminal library.
        .setConsumer(new ConsoleProgressBarConsumer(console.err(), console.width() - 1))
        .build();
  }

  /** Shows that {@code done} items are finished. */
  public void at(long done) {
    at(done, Map.of());
  }

  /**
   * Shows that {@code done} items are finished, with the latest metrics in the map's order. The
   * first call is the base of the rate, so that a resumed run does not count what it skipped.
   */
  public void at(long done, Map<String, Double> latest) {
    this.done = done;
    if (first < 0) {
      first = Math.max(0, done - 1);
    }
    if (!latest.isEmpty()) {
      metrics = format(latest);
    }
    if (bar != null) {
      bar.stepTo(done);
      bar.setExtraMessage(metrics.isEmpty() ? "" : "  " + metrics);
      return;
    }
    if (clock.getAsLong() - lastLine >= LINE_EVERY_NANOS) {
      line();
    }
  }

  private void line() {
    lastLine = clock.getAsLong();
    lastLineDone = done;
    double seconds = (lastLine - begun) / 1e9;
    double rate = seconds > 0 ? (done - Math.max(0, first)) / seconds : 0;
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%s  %,d/%,d %s", task, done, total, unit));
    if (total > 0) {
      text.append(String.format(Locale.ROOT, " (%d%%)", 100 * done / total));
    }
    if (rate > 0) {
      text.append(String.format(Locale.ROOT, "  %s %s/s", significant(rate), unit));
      text.append("  ").append(done < total ? "ETA " + time((total - done) / rate) : time(seconds));
    }
    if (!metrics.isEmpty()) {
      text.append("  ").append(metrics);
    }
    console.notice(text.toString());
  }

  private static String format(Map<String, Double> values) {
    StringJoiner joined = new StringJoiner("  ");
    values.forEach((name, value) -> joined.add(name + " " + significant(value)));
    return joined.toString();
  }

  /** Three significant digits. */
  private static String significant(double value) {
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e6)) {
      return String.format(Locale.ROOT, "%.2e", value);
    }
    int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** Seconds as {@code 42s}, {@code 3m05s} or {@code 2h07m}. */
  static String time(double seconds) {
    long s = Math.round(seconds);
    if (s < 60) {
      return s + "s";
    }
    return s < 3600
        ? String.format(Locale.ROOT, "%dm%02ds", s / 60, s % 60)
        : String.format(Locale.ROOT, "%dh%02dm", s / 3600, s % 3600 / 60);
  }

  /** Ends the display; a last line says how far the work came, if it is not said already. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    } else if (done > 0 && lastLineDone != done) {
      line();
    }
  }
}
