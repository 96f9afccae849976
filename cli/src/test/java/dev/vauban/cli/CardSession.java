package dev.vauban.cli;

import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.terminal.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Runs command lines in a JVM whose card is chosen by a property, which each JVM reads once.
 * Arguments: a file of commands, one a line, words apart by tabs; a file for the answers, a JSON
 * object a line.
 */
final class CardSession {
  private CardSession() {}

  public static void main(String[] arguments) throws Exception {
    Cli cli = Cli.learning();
    List<String> answers = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      ExitCode code = cli.run(line.split("\t"));
      answers.add(Json.line(Map.of("exit", code.status(), "out", cli.out, "err", cli.err)));
    }
    Files.write(Path.of(arguments[1]), answers);
  }
}
