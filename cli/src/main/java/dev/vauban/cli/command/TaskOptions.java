package dev.vauban.cli.command;

import dev.vauban.cli.config.Range;
import picocli.CommandLine.Option;

/** How many images a task of a few-shot universal attack has. */
public final class TaskOptions {
  @Range(min = 1, max = 1000)
  @Option(
      names = "--shots",
      paramLabel = "N",
      defaultValue = "2",
      description = "images per class to tune on (default: ${DEFAULT-VALUE})")
  int shots;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--unseen",
      paramLabel = "N",
      defaultValue = "2",
      description = "other images per class to be judged on (default: ${DEFAULT-VALUE})")
  int unseen;
}
