package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.GapMeasurement;
import dev.vauban.cli.job.GapTable;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.UniversalTasks;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban lft gap}: the difference between the meta-gradients of LFT and L2O. */
@CommandLine.Command(
    name = "gap",
    description = {
      "Compare the meta-gradients of LFT (judged on unseen images) and L2O (judged on those tuned"
          + " on) at a run's weights, for tasks of more and more images.",
      "In theory their distance falls as 1 over the square root of the number of images."
    },
    footer = {"", "Example:", "  vauban lft gap runs/lft --images 2,4,8,16"})
public final class LftGapCommand implements Command, Base {
  @Parameters(paramLabel = "RUN", description = "a run of 'vauban lft train'")
  Path run;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--images",
      paramLabel = "N",
      split = ",",
      defaultValue = "2,4,8,16",
      description =
          "images of a task to tune on, and as many unseen, with commas; multiples of the ways"
              + " (default: ${DEFAULT-VALUE})")
  List<Integer> images;

  @Range(min = 2, max = 4096)
  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "32",
      description = "tasks of each source (default: ${DEFAULT-VALUE})")
  int tasks;

  @Mixin UniversalOptions universal;
  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    return TunerPath.settings(run);
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    TunerOptions tuner = TunerPath.tuner(run);
    for (int count : images) {
      if (count % universal.ways != 0) {
        throw CommandException.badInput(
            "--images %d: a task of %d ways has as many images of each class; give multiples of %d"
                .formatted(count, universal.ways, universal.ways));
      }
    }
    List<UniversalTasks> larger =
        images.stream()
            .map(count -> count / universal.ways)
            .map(each -> universal.tasks(each, each))
            .toList();
    GapMeasurement measurement =
        new GapMeasurement(tasks, tuner.unrolling(), work.seed, work.compute());
    GapTable table =
        session
            .jobs()
            .get()
            .tuners()
            .gap(run, larger, tuner.design(), universal.slope(), measurement, session);
    return Answer.ok(TunerTables.gap(table, session.console().width()), table);
  }
}
