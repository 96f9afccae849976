package dev.vauban.cli;

import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Jobs;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.cli.terminal.Json;
import dev.vauban.cli.work.LearningJobs;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Runs command lines inside the test and keeps what they say. */
public final class Cli {
  final FakeJobs jobs = new FakeJobs();
  private final Supplier<Jobs> work;
  final Map<String, String> environment = new HashMap<>();

  /** What Ctrl-C raises in the next run. */
  Interrupt interrupt = new Interrupt();

  String out = "";
  String err = "";

  /** With the stand-in for the learning modules. */
  Cli() {
    work = () -> jobs;
  }

  private Cli(Supplier<Jobs> work) {
    this.work = work;
  }

  /** With the learning modules themselves. */
  static Cli learning() {
    return new Cli(LearningJobs::new);
  }

  /** Runs {@code arguments}; {@link #out} and {@link #err} hold what was printed. */
  ExitCode run(String... arguments) {
    ByteArrayOutputStream stdout = new ByteArrayOutputStream();
    ByteArrayOutputStream stderr = new ByteArrayOutputStream();
    Console console =
        Console.plain(
            new PrintStream(stdout, true, StandardCharsets.UTF_8),
            new PrintStream(stderr, true, StandardCharsets.UTF_8));
    ExitCode code = Main.run(console, environment, work, interrupt, arguments);
    interrupt = new Interrupt();
    out = stdout.toString(StandardCharsets.UTF_8);
    err = stderr.toString(StandardCharsets.UTF_8);
    return code;
  }

  /** What was printed on standard output, which must be one JSON object. */
  Map<?, ?> json() {
    return Json.read(out, Map.class);
  }
}
