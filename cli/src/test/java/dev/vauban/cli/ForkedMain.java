package dev.vauban.cli;

import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;

/** A process of the command with the stand-in for the learning modules, for {@link ForkTest}. */
public final class ForkedMain {
  private ForkedMain() {}

  /** As {@link Main#main}; the property {@code step.millis} makes training slow. */
  public static void main(String[] arguments) {
    FakeJobs jobs = new FakeJobs();
    jobs.stepMillis = Long.getLong("step.millis", 0);
    System.exit(
        Main.run(
                Console.ofProcess(System.getenv()),
                System.getenv(),
                () -> jobs,
                new Interrupt(),
                arguments)
            .status());
  }
}
