package dev.vauban.cli.job;

import dev.vauban.cli.config.Settings;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What every command has at hand.
 *
 * @param console where to speak
 * @param interrupt whether the user wants to stop; loops poll it between steps
 * @param settings the merged settings with their sources
 * @param arguments the command line
 * @param environment what an environment variable holds, null if it is not set
 * @param jobs the learning modules, loaded when first asked for
 */
public record Session(
    Console console,
    Interrupt interrupt,
    Settings settings,
    List<String> arguments,
    Function<String, String> environment,
    Supplier<Jobs> jobs) {

  /**
   * Writes down a result that was long to come by. If that fails, the reason is said and nothing
   * ends, so that the result itself still reaches the user.
   *
   * @return how the command must end: exit 1 if {@code write} failed
   */
  public ExitCode keep(Runnable write) {
    try {
      write.run();
      return ExitCode.OK;
    } catch (RuntimeException e) {
      Failure failure = Failure.of(e);
      if (failure.code() == ExitCode.BUG) {
        throw e;
      }
      console.error(failure.sentence());
      return ExitCode.FAILED;
    }
  }
}
