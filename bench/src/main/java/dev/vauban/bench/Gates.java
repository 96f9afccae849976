package dev.vauban.bench;

import dev.vauban.cli.Main;
import java.util.stream.Stream;

/** The program {@code gates}: the same as {@code vauban gates}. */
public final class Gates {
  private Gates() {}

  /** Runs the gates and ends the process. */
  public static void main(String[] arguments) {
    Main.main(Stream.concat(Stream.of("gates"), Stream.of(arguments)).toArray(String[]::new));
  }
}
