package dev.vauban.cli.terminal;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Where a command speaks: results on {@code out}, progress and messages on {@code err}.
 *
 * @param out standard output: results only
 * @param err standard error: progress, messages, errors
 * @param look whether {@code out} may have colours
 * @param errLook whether {@code err} may have colours
 * @param screen whether {@code err} is a terminal that can be redrawn
 * @param width columns available to a table
 * @param verbosity how much to say on {@code err}
 */
public record Console(
    PrintStream out,
    PrintStream err,
    Look look,
    Look errLook,
    Screen screen,
    int width,
    Verbosity verbosity) {
  private static final int DEFAULT_WIDTH = 100;

  /** Colours or none. */
  public enum Look {
    /** ANSI colours. */
    COLOUR,
    /** Plain text: NO_COLOR is set, or the output is not a terminal. */
    PLAIN
  }

  /** What standard error leads to. */
  public enum Screen {
    /** A terminal: a progress bar redraws one line. */
    TERMINAL,
    /** A file or a pipe: progress is a line from time to time. */
    LINES
  }

  /** How much is said on standard error. */
  public enum Verbosity {
    /** Errors only. */
    QUIET,
    /** Progress, notices and warnings. */
    NORMAL,
    /** Also what the library logs at level INFO and DEBUG. */
    VERBOSE
  }

  /** A console whose two streams look alike. */
  public Console(
      PrintStream out, PrintStream err, Look look, Screen screen, int width, Verbosity verbosity) {
    this(out, err, look, look, screen, width, verbosity);
  }

  /** The console of this process. */
  public static Console ofProcess(Map<String, String> environment) {
    return of(environment, isTerminal(1), isTerminal(2));
  }

  /** Each stream is judged by what it leads to: the other may be a file. */
  static Console of(Map<String, String> environment, boolean outTerminal, boolean errTerminal) {
    boolean dumb = "dumb".equals(environment.get("TERM"));
    boolean colours = environment.getOrDefault("NO_COLOR", "").isEmpty() && !dumb;
    return new Console(
        System.out,
        System.err,
        colours && outTerminal ? Look.COLOUR : Look.PLAIN,
        colours && errTerminal ? Look.COLOUR : Look.PLAIN,
        errTerminal && !dumb ? Screen.TERMINAL : Screen.LINES,
        outTerminal || errTerminal ? columns(environment) : DEFAULT_WIDTH,
        Verbosity.NORMAL);
  }

  /** A console without colours or redrawing, for tests and pipes. */
  public static Console plain(PrintStream out, PrintStream err) {
    return new Console(out, err, Look.PLAIN, Screen.LINES, DEFAULT_WIDTH, Verbosity.NORMAL);
  }

  /** This console with another verbosity. */
  public Console with(Verbosity other) {
    return new Console(out, err, look, errLook, screen, width, other);
  }

  /** Prints a notice on standard error, unless quiet. */
  public void notice(String text) {
    if (verbosity != Verbosity.QUIET) {
      err.println(fit(text, err.charset()));
    }
  }

  /** Prints a result on standard output. */
  public void result(String text) {
    out.println(fit(text, out.charset()));
  }

  /** Prints an error sentence on standard error; never silenced. */
  public void error(String sentence) {
    err.println(fit(paint(errLook, Ink.RED, "vauban: ") + sentence, err.charset()));
  }

  /** {@code text} in a colour for {@code out}, where colours are in use. */
  public String paint(Ink ink, String text) {
    return paint(look, ink, text);
  }

  private static String paint(Look look, Ink ink, String text) {
    return look == Look.COLOUR ? ink.code + text + "\u001b[0m" : text;
  }

  /** The few colours in use. */
  public enum Ink {
    /** Good. */
    GREEN("\u001b[32m"),
    /** Worth a look. */
    YELLOW("\u001b[33m"),
    /** Wrong. */
    RED("\u001b[31m"),
    /** A heading. */
    BOLD("\u001b[1m"),
    /** Less important. */
    DIM("\u001b[2m");

    private final String code;

    Ink(String code) {
      this.code = code;
    }
  }

  /** Replaces what {@code charset} cannot show by its nearest ASCII form. */
  static String fit(String text, Charset charset) {
    CharsetEncoder encoder = charset.newEncoder();
    if (encoder.canEncode(text)) {
      return text;
    }
    StringBuilder fitted = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          String symbol = Character.toString(c);
          fitted.append(encoder.canEncode(symbol) ? symbol : ascii(c));
        });
    return fitted.toString();
  }

  private static String ascii(int symbol) {
    return switch (symbol) {
      case '±' -> "+-";
      case '…' -> "...";
      case '─', '–', '—', '−' -> "-";
      case '×' -> "x";
      case '≥' -> ">=";
      case '≤' -> "<=";
      case '✓' -> "+";
      case '✗' -> "x";
      case '·' -> "-";
      case '→' -> "->";
      default -> "?";
    };
  }

  /**
   * Whether a file descriptor leads to a terminal. {@code System.console()} cannot tell standard
   * output from standard error, and from JDK 22 on may exist without any terminal.
   */
  private static boolean isTerminal(int descriptor) {
    Path link = Path.of("/proc/self/fd/" + descriptor);
    try {
      if (Files.isSymbolicLink(link)) {
        String target = Files.readSymbolicLink(link).toString();
        return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
      }
    } catch (IOException e) {
      return false;
    }
    return System.console() != null;
  }

  private static int columns(Map<String, String> environment) {
    try {
      return Math.max(20, Integer.parseInt(environment.getOrDefault("COLUMNS", "").strip()));
    } catch (NumberFormatException e) {
      return sttyColumns();
    }
  }

  /** The terminal's width as {@code stty} tells it; shells do not export COLUMNS. */
  private static int sttyColumns() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new java.io.File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String size = new String(stty.getInputStream().readAllBytes()).strip();
      if (stty.waitFor(200, TimeUnit.MILLISECONDS) && size.matches("\\d+ \\d+")) {
        int columns = Integer.parseInt(size.split(" ")[1]);
        return columns >= 20 ? columns : DEFAULT_WIDTH;
      }
    } catch (IOException e) {
      return DEFAULT_WIDTH;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return DEFAULT_WIDTH;
  }
}
