package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.TunerTest;
import dev.vauban.cli.report.TunerReport;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.OutputPath;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban lft attack}: a trained tuner on test tasks, beside its rivals. */
@CommandLine.Command(
    name = "attack",
    description = {
      "Let a learned fine-tuner attack tasks of unseen images, beside designed optimisers and"
          + " controls.",
      "Sources, victims, bounds and tasks default to what the run was trained with. Designed"
          + " optimisers have, at every number of steps, the rate of a grid that does best on"
          + " training tasks."
    },
    footer = {
      "",
      "Example:",
      "  vauban lft attack runs/lft --data fashion:data/fashion-mnist --baselines"
    })
public final class LftAttackCommand implements Command, Base {
  @Parameters(paramLabel = "RUN", description = "a run of 'vauban lft train'")
  Path run;

  @Mixin UniversalOptions universal;
  @Mixin TaskOptions task;

  @Range(min = 2, max = 100_000)
  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "100",
      description = "test tasks of each source (default: ${DEFAULT-VALUE})")
  int tasks;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "200",
      description = "of each tuner (default: ${DEFAULT-VALUE})")
  int steps;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--at",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,5,10,20,50,100,200",
      description =
          "steps to report, with commas, besides the last one (default: ${DEFAULT-VALUE})")
  List<Integer> at;

  @Option(
      names = "--baselines",
      description =
          "also test designed optimisers, a MAML start, perturbations made of other images, and"
              + " constant and random patterns")
  boolean baselines;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--choice-tasks",
      paramLabel = "N",
      defaultValue = "32",
      description =
          "training tasks that the designed optimisers' rates are chosen on (default:"
              + " ${DEFAULT-VALUE})")
  int choiceTasks;

  @Range(min = 0)
  @Option(
      names = "--maml-iterations",
      paramLabel = "N",
      defaultValue = "60",
      description = "meta-steps of the MAML start; 0 for none (default: ${DEFAULT-VALUE})")
  int mamlIterations;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "4",
      description = "tasks whose perturbations the report shows (default: ${DEFAULT-VALUE})")
  int images;

  @Mixin WorkOptions work;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "folder for report.html and attack.json (default: RUN/attack)")
  Path out;

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
    Path folder = out == null ? run.resolve("attack") : out;
    OutputPath.requireFolder("--out", folder);
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw CommandException.badInput(folder + " is a file; choose another --out");
    }
    TreeSet<Integer> shown = new TreeSet<>(at.stream().filter(s -> s < steps).toList());
    shown.add(steps);
    TunerTest test =
        new TunerTest(
            tasks,
            steps,
            new ArrayList<>(shown),
            baselines ? TunerTest.Rivals.ALL : TunerTest.Rivals.NONE,
            work.seed,
            work.compute(),
            choiceTasks,
            mamlIterations,
            images);
    TunerComparison comparison =
        session
            .jobs()
            .get()
            .tuners()
            .attack(
                run,
                universal.tasks(task.shots, task.unseen),
                tuner.design(),
                universal.slope(),
                test,
                session);
    ExitCode code = session.keep(() -> write(folder, comparison, session));
    String text = TunerTables.comparison(comparison, session.console().width());
    return new Answer(code, text, comparison);
  }

  private static void write(Path folder, TunerComparison comparison, Session session) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
    AtomicFile.write(folder.resolve("attack.json"), Json.pretty(comparison) + "\n");
    Path page = folder.resolve("report.html");
    TunerReport.write(page, comparison, session);
    session.console().notice("report: " + page);
  }
}
