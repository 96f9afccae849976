package dev.vauban.bench;

import dev.vauban.cli.Main;
import java.util.stream.Stream;

/** The program {@code bench}: the same as {@code vauban bench}. */
public final class BenchMain {
  private BenchMain() {}

  /** Runs the benchmarks and ends the process. */
  public static void main(String[] arguments) {
    Main.main(Stream.concat(Stream.of("bench"), Stream.of(arguments)).toArray(String[]::new));
  }
}
