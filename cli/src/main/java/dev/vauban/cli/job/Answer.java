package dev.vauban.cli.job;

import dev.vauban.cli.failure.ExitCode;

/**
 * What a command answers.
 *
 * @param code how it went
 * @param text for people, on standard output
 * @param json for programs: the one object that {@code --json} prints instead
 */
public record Answer(ExitCode code, String text, Object json) {
  /** An answer of a command that did what it was asked. */
  public static Answer ok(String text, Object json) {
    return new Answer(ExitCode.OK, text, json);
  }
}
